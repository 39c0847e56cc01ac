"""What every part of scoring does: get the material, have it read, apply a metric."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mfbench.bench.bodies.generate import generated
from mfbench.bench.clips import Clips
from mfbench.bench.latents import Codecs, fitted
from mfbench.bench.stage import StageContext
from mfbench.codecs.base import FloatArray
from mfbench.metrics.base import Metric, Prompts, Scores, summarise
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.metrics.readers.images import Pixels
from mfbench.registry import METRICS

REPLICATES = 200


def seed_of(context: StageContext) -> int:
    """The sampling seed of a cell; 0 for an anchor."""
    generate = context.parents.get("generate")
    return int(generate.spec.fields["sample_seed"]) if generate else 0


def material(context: StageContext, codecs: Codecs, real: Clips, name: str) -> tuple[FloatArray, FloatArray]:
    """Decoded video and mel: generated, or real for an anchor."""
    if "generate" not in context.parents:
        return real.face, real.mel
    made = generated(context.parents["generate"], name)
    assert made is not None
    return codecs.decode(made)


def observed_as(context: StageContext, readers: Readers, pictures: Pixels, mel: FloatArray) -> Observation:
    """Clips as the readers see them; the null anchor hears the sound of the clip before."""
    chunk_s = float(fitted(context.parents["codec"]).spec.chunk_seconds)
    observed = replace(observe(pictures, mel, readers), chunk_s=chunk_s)
    if context.spec.component != "null" or "generate" in context.parents:
        return observed
    return observed.with_sound_of(np.roll(np.arange(len(mel)), 1), mel, readers)


def not_applicable(name: str) -> dict[str, Any]:
    """The entry of a metric that a cell does not have."""
    metric = _metric(name)
    return {
        "value": None,
        "unit": metric.unit,
        "kind": "quality",
        "higher_is_better": metric.higher_is_better,
        "n": 0,
        "coverage": 0.0,
        "status": "not_applicable",
        "per_clip": None,
    }


def _metric(name: str) -> Metric:
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    return metric


def measure(
    context: StageContext, name: str, observed: Observation, reference: Observation, prompts: Prompts
) -> dict[str, Any]:
    """One metric as a record holds it; a metric that raises is a failed metric, not a failed cell."""
    metric, entry = _metric(name), not_applicable(name)
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
    if per_clip is None and result.value is not None and scores.resampled:
        entry["bootstrap"] = {"scheme": "prompts", "values": _replicates(scores, len(observed.intact))}
    return entry


def _replicates(scores: Scores, clips: int) -> list[float | None]:
    """The metric on resamples of the prompts; replicate r draws the same prompts in every cell."""
    rng = np.random.default_rng([clips, REPLICATES])
    return [scores.value(rng.integers(0, clips, clips)) for _ in range(REPLICATES)]
