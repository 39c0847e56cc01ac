"""The score stage: decode, read once, every metric of the suite, bootstrap replicates, gallery media."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mfbench.bench.bodies.codec import fitted
from mfbench.bench.bodies.generate import generated
from mfbench.bench.bodies.judge import has_long, observe_real, prompts_of, readers_of
from mfbench.bench.clips import Clips
from mfbench.bench.latents import Codecs
from mfbench.bench.playback import picture
from mfbench.bench.stage import StageContext, StageResult
from mfbench.codecs.base import FloatArray
from mfbench.codecs.vocoder import vocode
from mfbench.data.media import write_mp4
from mfbench.metrics.base import Metric, Prompts, Scores, summarise
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.registry import METRICS

VERSION = 1
REPLICATES = 200
GALLERY_PX = 96
PROXY = "sync_corr"  # per-clip stand-in by which best, median and worst clips are chosen
WINDOWED = ("sync_corr", "id_sim_lite", "audio_rms", "motion_magnitude")
LONG_ONLY = "drift_"


def run(context: StageContext) -> StageResult:
    """Score one cell or an anchor."""
    real, reference = observe_real(context, "test")[0], observe_real(context, "reference")[1]
    codecs, readers = fitted(context.parents["codec"]), readers_of(context)
    face, mel = _material(context, codecs, real, "latents")
    observed = _observe(context, codecs, readers, face, mel)
    prompts = prompts_of(real, _seed(context))
    names = list(context.fields["metrics"])
    short = [name for name in names if not name.startswith(LONG_ONLY)]
    metrics = {name: _measure(context, name, observed, reference, prompts) for name in short}
    drift, long_metrics = _long_horizon(context, codecs, readers, names)
    values: dict[str, Any] = {"drift": drift} if drift else {}
    if context.spec.component == "real":
        values["codec_floor"] = context.parents["judge"].result.values["codec_floor"]
    media = _gallery(context, codecs, face, mel, metrics.get(PROXY, {}).get("per_clip"))
    return StageResult(values, metrics | long_metrics, media)


def _seed(context: StageContext) -> int:
    generate = context.parents.get("generate")
    return int(generate.spec.fields["sample_seed"]) if generate else 0


def _material(context: StageContext, codecs: Codecs, real: Clips, name: str) -> tuple[FloatArray, FloatArray]:
    """Decoded video and mel: generated, or real for an anchor."""
    if "generate" not in context.parents:
        return real.face, real.mel
    made = generated(context.parents["generate"], name)
    assert made is not None
    return codecs.decode(made)


def _observe(
    context: StageContext, codecs: Codecs, readers: Readers, face: FloatArray, mel: FloatArray
) -> Observation:
    observed = observe(picture(codecs, face), mel, readers)
    if context.spec.component != "null" or "generate" in context.parents:
        return observed
    return observed.with_sound_of(np.roll(np.arange(len(mel)), 1), mel, readers)


def _measure(
    context: StageContext, name: str, observed: Observation, reference: Observation, prompts: Prompts
) -> dict[str, Any]:
    """One metric as a record holds it; a metric that raises is a failed metric, not a failed cell."""
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    entry: dict[str, Any] = {
        "value": None,
        "unit": metric.unit,
        "kind": "quality",
        "higher_is_better": metric.higher_is_better,
        "n": 0,
        "coverage": 0.0,
        "status": "not_applicable",
        "per_clip": None,
    }
    if context.spec.component == "null" and not metric.null_by_shuffling:
        return entry
    try:
        scores = metric.scores(observed, reference, prompts)
        result = summarise(scores, observed.intact)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return {**entry, "status": "failed_metric"}
    per_clip = result.per_clip if any(v is not None for v in result.per_clip) else None
    entry |= {
        "value": result.value,
        "n": result.n,
        "coverage": result.coverage,
        "status": result.status,
        "per_clip": per_clip,
    }
    if per_clip is None and result.value is not None:
        entry["bootstrap"] = {"scheme": "prompts", "values": _replicates(scores, len(observed.intact))}
    return entry


def _replicates(scores: Scores, clips: int) -> list[float | None]:
    """The metric on resamples of the prompts; replicate r draws the same prompts in every cell."""
    rng = np.random.default_rng([clips, REPLICATES])
    return [scores.value(rng.integers(0, clips, clips)) for _ in range(REPLICATES)]


def _long_horizon(
    context: StageContext, codecs: Codecs, readers: Readers, names: list[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Drift slopes over long rollouts, and values in windows as long as a training clip."""
    wanted = [name for name in names if name.startswith(LONG_ONLY)]
    if not wanted or not has_long(context.parents["test"]):
        return {}, {}
    made = "generate" not in context.parents or generated(context.parents["generate"], "long") is not None
    real, _ = observe_real(context, "long")
    prompts = prompts_of(real, _seed(context))
    if not made:  # a sampler that needs the whole clip has no long horizon
        empty = {"kind": "quality", "n": 0, "coverage": 0.0, "status": "not_applicable"}
        return {}, {name: _blank(name) | empty for name in wanted}
    face, mel = _material(context, codecs, real, "long")
    observed = _observe(context, codecs, readers, face, mel)
    slopes = {name: _measure(context, name, observed, observed, prompts) for name in wanted}
    return _windows(context, codecs, readers, face, mel, prompts), slopes


def _blank(name: str) -> dict[str, Any]:
    metric = METRICS.get(name)
    better = metric.higher_is_better
    return {"value": None, "unit": metric.unit, "higher_is_better": better, "per_clip": None}


def _windows(
    context: StageContext,
    codecs: Codecs,
    readers: Readers,
    face: FloatArray,
    mel: FloatArray,
    prompts: Prompts,
) -> dict[str, Any]:
    """Per-clip values of some metrics in successive windows of the training length."""
    spec = codecs.spec
    count = face.shape[1] // spec.frames
    drift: dict[str, Any] = {}
    for k in range(count):
        pictures = face[:, k * spec.frames : (k + 1) * spec.frames]
        sound = mel[:, k * spec.mel_frames : (k + 1) * spec.mel_frames]
        observed = _observe(context, codecs, readers, pictures, sound)
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


def _gallery(
    context: StageContext,
    codecs: Codecs,
    face: FloatArray,
    mel: FloatArray,
    proxy: list[float | None] | None,
) -> list[dict[str, Any]]:
    """Best, median and worst clip of the first sampling seed as playable files."""
    if _seed(context) != 0 or not proxy:
        return []
    ranked = sorted((value, i) for i, value in enumerate(proxy) if value is not None)
    if not ranked:
        return []
    picks = {"best": ranked[-1][1], "median": ranked[len(ranked) // 2][1], "worst": ranked[0][1]}
    media = []
    for role, index in picks.items():
        frames = picture(codecs, face[index : index + 1], GALLERY_PX)[0]
        other = (index - 1) % len(mel) if context.spec.component == "null" else index
        sound = vocode(torch.from_numpy(mel[other]), torch.Generator().manual_seed(index)).numpy()
        spec = codecs.spec
        write_mp4(
            context.out / f"{role}.mp4",
            frames,
            sound,
            fps=spec.frame_rate_hz,
            sample_rate_hz=spec.sample_rate_hz,
        )
        caption = f"clip {index}, {PROXY} {proxy[index]:.2f}"
        media.append({"path": f"{role}.mp4", "role": role, "clip": str(index), "caption": caption})
    return media
