"""The time stage: latency of streaming one clip at a time, alone on the machine."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np

from mfbench.bench import clips
from mfbench.bench.bodies.generate import load_sampler
from mfbench.bench.latents import fitted
from mfbench.bench.playback import play
from mfbench.bench.sampling import Sampler, conditions
from mfbench.bench.stage import StageContext, StageResult
from mfbench.types import Condition

VERSION = 1
FEWEST_FOR_P95 = 200  # chunks; with fewer the maximum is printed as what it is


def run(context: StageContext) -> StageResult:
    """Warm up, then stream whole clips with batch 1 and time every chunk until it is in host memory."""
    timing, sampler = context.fields["timing"], load_sampler(context)
    codecs = fitted(context.parents["codec"])
    real = clips.load(context.parents["test"].folder / "test.npz")
    condition = conditions(real, codecs.encode(real).frame_reference[:, 0])
    chunks = codecs.spec.chunks_in(timing["seconds"])
    spec = codecs.spec.with_chunks(chunks)
    times = []
    for i in range(timing["warmup"] + timing["rollouts"]):
        one = _one(condition, i % len(real.words), chunks)
        ready = np.array([c.ready_s for c in play(sampler, codecs, one, seed=i)])
        if i >= timing["warmup"]:
            times.append(ready)
        context.progress(i + 1, timing["warmup"] + timing["rollouts"], "rollouts timed")
    return StageResult(
        {"ready_s": [list(map(float, t)) for t in times]},
        _metrics(np.stack(times), spec.frames, spec.duration_s, sampler),
    )


def _one(condition: Condition, index: int, chunks: int) -> Condition:
    row = slice(index, index + 1)
    return Condition(condition.reference[row], condition.words[row, :chunks], condition.null[row])


def _metrics(ready_s: np.ndarray, frames: int, media_s: float, sampler: Sampler) -> dict[str, dict[str, Any]]:
    """From times [rollouts, chunks]; the first two chunks are left out of chunk percentiles."""
    first, total = ready_s[:, 0], ready_s[:, -1]
    steady = 1000 * np.diff(ready_s, axis=1)[:, 1:].ravel()
    high = "chunk_latency_ms_p95" if steady.size >= FEWEST_FOR_P95 else "chunk_latency_ms_max"
    late = float(np.percentile(steady, 95) if steady.size >= FEWEST_FOR_P95 else steady.max())
    values = {
        "ttfc_s": (float(np.median(first)), "s", False),
        "rtf": (float(np.median(total) / media_s), "s per media s", False),
        "fps": (float(frames / np.median(total)), "decoded frames per s", True),
        "peak_memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB", False),
    }
    if sampler.spec.streaming:
        values["chunk_latency_ms"] = (float(np.median(steady)), "ms, median", False)
        values[high] = (late, "ms", False)
    return {
        name: {
            "value": value,
            "unit": unit,
            "kind": "timing",
            "higher_is_better": better,
            "n": len(ready_s),
            "coverage": 1.0,
            "status": "ok",
            "per_clip": None,
        }
        for name, (value, unit, better) in values.items()
    }
