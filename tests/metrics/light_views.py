"""Observations that hold only what a metric reads, so that no judge has to be fitted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from mfbench.metrics.base import Metric, MetricResult, Prompts
from mfbench.registry import METRICS


def seen(clips: int, frame_rate_hz: float = 25.0, duration_s: float = 25.6, **parts: dict[str, Any]) -> Any:
    """What was read from clips, e.g. `picture={"luma": track}`."""
    read = {name: SimpleNamespace(**tracks) for name, tracks in parts.items()}
    return SimpleNamespace(
        clips=clips,
        frame_rate_hz=frame_rate_hz,
        duration_s=duration_s,
        intact=np.ones(clips, bool),
        chunk_s=0.32,
        **read,
    )


def nobody(clips: int) -> Prompts:
    """Nothing is known of what was asked; every clip has its own prompt."""
    none = np.zeros(clips, np.int64)
    return Prompts((None,) * clips, none, none, np.arange(clips), none)


def measured(name: str, view: Any, prompts: Prompts | None = None) -> MetricResult:
    """One metric of such clips."""
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    return metric.compute(view, view, prompts or nobody(view.clips))
