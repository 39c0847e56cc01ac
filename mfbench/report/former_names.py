"""Metrics of older records read under the names of today, so that old runs stay of use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Former:
    """What became of a metric.

    Attributes:
        name: of today.
        factor: from the former to today's unit.
        unit: of today; None: as it was.
    """

    name: str
    factor: float = 1.0
    unit: str | None = None


FORMER = {
    "audio_rms": Former("loudness_db"),
    "nfe": Former("nfe_per_chunk"),
    "nfe_cache": Former("nfe_cache_per_chunk"),
    "peak_memory_mb": Former("peak_mem_mb"),
    "peak_device_memory_mb": Former("peak_device_mem_mb"),
    "flops_per_media_s": Former("tflops_per_media_s", 1e-12, "TFLOP per media s, network"),
    "flops_decode_per_media_s": Former("tflops_decode_per_media_s", 1e-12, "TFLOP per media s"),
}
_WIDE = "wide_"  # timings of a larger network


def under_names_of_today(record: dict[str, Any]) -> dict[str, Any]:
    """A valid record with its metrics, and those in windows of a long rollout, under today's names."""
    metrics = {}
    for name, entry in record["metrics"].items():
        width = _WIDE if name.startswith(_WIDE) else ""
        former = FORMER.get(name.removeprefix(width))
        metrics[name if former is None else width + former.name] = (
            entry if former is None else _now(former, entry)
        )
    found = {**record, "metrics": metrics}
    if "drift" in record:
        found["drift"] = {FORMER[k].name if k in FORMER else k: v for k, v in record["drift"].items()}
    return found


def _now(former: Former, entry: dict[str, Any]) -> dict[str, Any]:
    if former.factor == 1:
        return entry
    value, per_clip = entry["value"], entry["per_clip"]
    return {
        **entry,
        "unit": former.unit,
        "value": None if value is None else value * former.factor,
        "per_clip": None if per_clip is None else [v if v is None else v * former.factor for v in per_clip],
    }
