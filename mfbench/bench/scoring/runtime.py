"""Latency of generation, where a manifest tells it; a folder alone has none."""

from __future__ import annotations

import numpy as np

from mfbench.bench import latency
from mfbench.bench.scoring.piece import Piece
from mfbench.data.manifest import ClipEntry

UNITS = {
    "rtf": "s per media s",
    "fps": "decoded frames per s",
    "ttfc_s": "s",
    "chunk_latency_ms": "ms, median",
    "stall_ratio": "stalled s per media s",
    "min_buffer_s": "s",
}
NOT_MEASURED = Piece("not_applicable", reason="not measured: no timings in a manifest")


def runtime_pieces(entry: ClipEntry, seconds: float) -> dict[str, Piece]:
    """One piece per name of `UNITS`."""
    found = _from_runtime(entry, seconds) | _from_timings(entry, seconds)
    return {name: Piece("ok", found[name]) if name in found else NOT_MEASURED for name in UNITS}


def _from_runtime(entry: ClipEntry, seconds: float) -> dict[str, float]:
    """From the keys of StreamAV-Bench."""
    runtime, found = entry.runtime, {}
    if runtime is None:
        return {}
    if runtime.generation_s is not None and seconds > 0:
        found["rtf"] = runtime.generation_s / seconds
        if runtime.generated_frames is not None and runtime.generation_s > 0:
            found["fps"] = runtime.generated_frames / runtime.generation_s
    if runtime.first_chunk_s is not None:
        found["ttfc_s"] = runtime.first_chunk_s
    return found


def _from_timings(entry: ClipEntry, seconds: float) -> dict[str, float]:
    """From the times at which chunks were ready."""
    timings = entry.timings
    if timings is None or not timings.chunk_ready_s or seconds <= 0:
        return {}
    ready_s = np.array(timings.chunk_ready_s) - timings.request_s
    chunk_s = seconds / len(ready_s)
    found = {"ttfc_s": float(ready_s[0]), "rtf": float(ready_s[-1] / seconds)}
    if len(ready_s) > 1:
        found["chunk_latency_ms"] = float(1000 * np.median(np.diff(ready_s)))
    rollout = ready_s[None]
    found["stall_ratio"] = latency.stall_ratio(rollout, chunk_s)
    found["min_buffer_s"] = float(latency.min_buffer_s(rollout, chunk_s)[0])
    return found
