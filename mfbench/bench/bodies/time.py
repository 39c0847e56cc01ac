"""The time stage: latency of streaming one clip at a time, alone on the machine."""

from __future__ import annotations

import resource
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from mfbench.bench import clips
from mfbench.bench.bodies.generate import load_sampler
from mfbench.bench.latents import fitted
from mfbench.bench.playback import play
from mfbench.bench.sampling import Sampler, conditions
from mfbench.bench.stage import StageContext, StageResult
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import Condition

VERSION = 2
FEWEST_FOR_P95 = 200  # chunks; with fewer the maximum is printed as what it is
FEWEST_FOR_GROWTH = 8  # chunks in each half


def run(context: StageContext) -> StageResult:
    """Warm up, then stream whole clips with batch 1 and time every chunk until it is in host memory."""
    sampler, wide = load_sampler(context), context.fields["timing"].get("wide")
    times = {"": _rollouts(context, sampler)}
    metrics = _metrics(times[""], context, sampler)
    if wide:
        network = AVTransformer(replace(sampler.network.spec, **wide)).eval()
        times["wide_"] = _rollouts(context, replace(sampler, network=network))
        timed = _metrics(times["wide_"], context, sampler)
        metrics |= {f"wide_{name}": entry for name, entry in timed.items() if name != "peak_memory_mb"}
    return StageResult({f"{width}ready_s": found.tolist() for width, found in times.items()}, metrics)


def _rollouts(context: StageContext, sampler: Sampler) -> np.ndarray:
    """Seconds from the request until each chunk was there, [rollouts, chunks]."""
    timing, codecs = context.fields["timing"], fitted(context.parents["codec"])
    real = clips.load(context.parents["test"].folder / "test.npz")
    condition = conditions(real, codecs.encode(real).frame_reference[:, 0])
    chunks = codecs.spec.chunks_in(timing["seconds"])
    times = []
    for i in range(timing["warmup"] + timing["rollouts"]):
        one = _one(condition, i % len(real.words), chunks)
        ready = np.array([c.ready_s for c in play(sampler, codecs, one, seed=i)])
        if i >= timing["warmup"]:
            times.append(ready)
        context.progress(i + 1, timing["warmup"] + timing["rollouts"], "rollouts timed")
    return np.stack(times)


def _one(condition: Condition, index: int, chunks: int) -> Condition:
    """One prompt, its words repeated where the rollout is longer than the clip."""
    row = slice(index, index + 1)
    words = condition.words[row, torch.arange(chunks) % condition.words.shape[1]]
    return Condition(condition.reference[row], words, condition.null[row])


def _metrics(ready_s: np.ndarray, context: StageContext, sampler: Sampler) -> dict[str, dict[str, Any]]:
    """From times [rollouts, chunks]; the first two chunks are left out of chunk percentiles."""
    spec = fitted(context.parents["codec"]).spec.with_chunks(ready_s.shape[1])
    frames, media_s = spec.frames, spec.duration_s
    first, total = ready_s[:, 0], ready_s[:, -1]
    steady = 1000 * np.diff(ready_s, axis=1)[:, 1:].ravel()
    high = "chunk_latency_ms_p95" if steady.size >= FEWEST_FOR_P95 else "chunk_latency_ms_max"
    late = float(np.percentile(steady, 95) if steady.size >= FEWEST_FOR_P95 else steady.max())
    chunk_s = media_s / ready_s.shape[1]
    per_rollout = {
        "ttfc_s": first.tolist(),
        "ttfc_chunks": (first / chunk_s).tolist(),
        "rtf": (total / media_s).tolist(),
    }
    values = {
        "ttfc_chunks": (float(np.median(first) / chunk_s), "chunk durations", False),
        "ttfc_s": (float(np.median(first)), "s", False),
        "rtf": (float(np.median(total) / media_s), "s per media s", False),
        "fps": (float(frames / np.median(total)), "decoded frames per s", True),
        "peak_memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB", False),
    }
    if sampler.spec.streaming:
        values["chunk_latency_ms"] = (float(np.median(steady)), "ms, median", False)
        values[high] = (late, "ms", False)
        growth = _growth(np.diff(ready_s, axis=1)[:, sampler.window :])
        if growth is not None:
            values["latency_growth"] = (float(np.median(growth)), "ratio", False)
            per_rollout["latency_growth"] = growth.tolist()
    return {
        name: {
            "value": value,
            "unit": unit,
            "kind": "timing",
            "higher_is_better": better,
            "n": len(ready_s),
            "coverage": 1.0,
            "status": "ok",
            "per_clip": per_rollout.get(name),
        }
        for name, (value, unit, better) in values.items()
    }


def _growth(latency_s: np.ndarray) -> np.ndarray | None:
    """Median latency of the later half over that of the earlier, once the history has its full length.

    One ratio per rollout of [rollouts, chunks]; None where the rollout is too short to tell.
    """
    half = latency_s.shape[1] // 2
    if half < FEWEST_FOR_GROWTH:
        return None
    return np.asarray(np.median(latency_s[:, -half:], axis=1) / np.median(latency_s[:, :half], axis=1))
