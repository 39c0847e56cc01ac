"""What one clip per prompt cannot show: drift over a long horizon, diversity over sampling seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfbench.bench.bodies.generate import generated
from mfbench.bench.bodies.judge import has_long, observe_real, prompts_of
from mfbench.bench.bodies.measuring import material, measure, not_applicable, observed_as, seed_of
from mfbench.bench.latents import Codecs
from mfbench.bench.playback import picture
from mfbench.bench.stage import StageContext
from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import FloatArray
from mfbench.metrics.base import Prompts
from mfbench.metrics.embedding import WINDOW_S
from mfbench.metrics.observe import Readers
from mfbench.metrics.readers.images import Pixels
from mfbench.registry import METRICS

WINDOWED = ("sync_corr", "id_sim_lite", "loudness_db", "motion_magnitude")
LONG_ONLY = "drift_"
REPEATED_ONLY = "diversity_"


def covers(name: str) -> bool:
    """Whether a metric is measured here."""
    return name.startswith((LONG_ONLY, REPEATED_ONLY))


def diversity(context: StageContext, codecs: Codecs, readers: Readers) -> dict[str, dict[str, Any]]:
    """Distances between clips of one prompt, where the cell sampled its prompts repeatedly."""
    wanted = [name for name in context.fields["metrics"] if name.startswith(REPEATED_ONLY)]
    if "generate" not in context.parents or generated(context.parents["generate"], "repeats") is None:
        return {name: not_applicable(name) for name in wanted}
    real, _ = observe_real(context, "test")
    face, mel = material(context, codecs, real, "repeats")
    repeats = int(context.parents["generate"].spec.fields["repeats"])
    asked = _repeated(prompts_of(real.take(slice(len(face) // repeats)), 0), repeats)
    observed = observed_as(context, readers, picture(codecs, face), mel)
    found = {name: measure(context, name, observed, observed, asked) for name in wanted}
    return {name: _per_prompt(entry, repeats) for name, entry in found.items()}


def _repeated(prompts: Prompts, repeats: int) -> Prompts:
    """Every prompt several times in a row, with seeds 0, 1, ..."""
    rows = np.repeat(np.arange(len(prompts.prompt)), repeats)
    return Prompts(
        tuple(prompts.timelines[i] for i in rows),
        prompts.voice[rows],
        prompts.identity[rows],
        prompts.prompt[rows],
        np.tile(np.arange(repeats), len(prompts.prompt)),
    )


def _per_prompt(entry: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Clips of one prompt are not independent: their mean is one sample of the bootstrap."""
    if entry["per_clip"] is None:
        return entry
    values = np.array(entry["per_clip"], dtype=np.float64).reshape(-1, repeats).mean(1)
    return {**entry, "n": len(values), "per_clip": [None if np.isnan(v) else float(v) for v in values]}


def long_horizon(
    context: StageContext, codecs: Codecs, readers: Readers
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Drift slopes over long rollouts, and values in windows as long as a training clip."""
    wanted = [name for name in context.fields["metrics"] if name.startswith(LONG_ONLY)]
    if not wanted or not has_long(context.parents["test"]):
        return {}, {}
    if float(context.parents["test"].spec.fields["long_seconds"]) < WINDOW_S:  # too short to be read
        return {}, {name: not_applicable(name) for name in wanted}
    made = "generate" not in context.parents or generated(context.parents["generate"], "long") is not None
    real, _ = observe_real(context, "long")
    prompts = prompts_of(real, seed_of(context))
    if not made:  # a sampler that needs the whole clip has no long horizon; other seeds were not asked
        return {}, {name: not_applicable(name) for name in wanted}
    face, mel = material(context, codecs, real, "long")
    pictures = picture(codecs, face)
    observed = observed_as(context, readers, pictures, mel)
    slopes = {name: measure(context, name, observed, observed, prompts) for name in wanted}
    return _windows(context, codecs.spec, readers, pictures, mel, prompts), slopes


def _windows(
    context: StageContext,
    spec: ClipSpec,
    readers: Readers,
    pictures: Pixels,
    mel: FloatArray,
    prompts: Prompts,
) -> dict[str, Any]:
    """Per-clip values of some metrics in successive windows of the training length."""
    count = pictures.shape[1] // spec.frames
    drift: dict[str, Any] = {}
    for k in range(count):
        seen = pictures[:, k * spec.frames : (k + 1) * spec.frames]
        heard = mel[:, k * spec.mel_frames : (k + 1) * spec.mel_frames]
        observed = observed_as(context, readers, seen, heard)
        for name in WINDOWED:
            metric = METRICS.build({"type": name})
            result = metric.compute(observed, observed, prompts)
            entry = drift.setdefault(name, {"window_mid_s": [], "values": [], "per_clip": []})
            entry["window_mid_s"].append((k + 0.5) * spec.duration_s)
            entry["values"].append(result.value)
            entry["per_clip"].append(result.per_clip)
    for entry in drift.values():
        entry["per_clip"] = [list(values) for values in zip(*entry["per_clip"], strict=True)]
    return drift
