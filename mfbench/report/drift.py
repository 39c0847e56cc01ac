"""Drift over time: a metric in windows of a long rollout, per method, with the real band beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfbench.report import style
from mfbench.report.load import Cell, Study
from mfbench.report.statistics import Floats, interval, shared_weights, weighted_means


@dataclass(frozen=True)
class Trace:
    """One metric over time, mean over cells, with a pointwise band where clips were kept.

    Attributes:
        time_s: window middles [windows].
        low, high: [windows], equal to the mean where no clips were kept.
    """

    label: str
    time_s: Floats
    mean: Floats
    low: Floats
    high: Floats


def metrics(study: Study) -> tuple[str, ...]:
    """Drift metrics that some record holds."""
    found = [name for cell in study.cells for name in cell.extra.get("drift", {})]
    return tuple(sorted(dict.fromkeys(found)))


def steps_shown(study: Study) -> int | None:
    """The few-step setting that is drawn: 4 if drifts were measured there, else the nearest."""
    found = {cell.steps for cell in study.cells if cell.extra.get("drift") and cell.steps is not None}
    return min(found, key=lambda steps: (abs(np.log2(steps / 4)), steps)) if found else None


def trace(cells: Sequence[Cell], metric: str, label: str) -> Trace | None:
    """Pool cells of one (method, steps); windows must agree, cells whose windows differ are left out."""
    entries = [cell.extra["drift"][metric] for cell in cells if metric in cell.extra.get("drift", {})]
    if not entries:
        return None
    time_s = np.array(entries[0]["window_mid_s"], dtype=np.float64)
    same = [entry for entry in entries if list(entry["window_mid_s"]) == list(time_s)]
    mean = np.mean([_floats(entry["values"]) for entry in same], axis=0)
    low, high = _band([entry for entry in same if entry.get("per_clip")], mean)
    return Trace(label, time_s, mean, low, high)


def _band(entries: Sequence[dict[str, list[list[float]]]], mean: Floats) -> tuple[Floats, Floats]:
    """Pointwise bootstrap interval over clips (`per_clip` is [clips][windows])."""
    low, high = mean.copy(), mean.copy()
    if entries:
        stacked = np.array([[_floats(clip) for clip in entry["per_clip"]] for entry in entries])
        weights = shared_weights(1, *stacked.shape[:2])
        for window in range(stacked.shape[2]):
            replicates = weighted_means(stacked[None, :, :, window], weights)
            found = interval(float(mean[window]), replicates)
            if found is not None:
                low[window], high[window] = found.low, found.high
    return low, high


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def figure(study: Study, metric: str) -> str | None:
    """All methods at one step count and the real clips."""
    steps, looks = steps_shown(study), style.looks(study.methods)
    real = trace(study.of("real", None), metric, "real")
    traces = {m: t for m in looks if (t := trace(_at(study, m, steps), metric, m)) is not None}
    if not traces:
        return None
    with style.panel(metric, "time in the clip [s]") as (drawn, axes):
        if real is not None:
            axes.fill_between(real.time_s, real.low, real.high, color=style.REAL, alpha=0.10, linewidth=0)
            axes.plot(real.time_s, real.mean, color=style.REAL, linestyle="--", linewidth=1.2)
        for method, item in traces.items():
            look = looks[method]
            axes.fill_between(item.time_s, item.low, item.high, color=look.colour, alpha=0.12, linewidth=0)
            axes.plot(
                item.time_s,
                item.mean,
                color=look.colour,
                marker=look.marker,
                markersize=4,
                markeredgecolor="white",
                linewidth=1.5,
            )
        return style.svg(drawn)


def _at(study: Study, method: str, steps: int | None) -> tuple[Cell, ...]:
    """A method's cells at the shown step count, or at its largest where it was not measured there."""
    measured = [s for s in study.steps if any(c.extra.get("drift") for c in study.of(method, s))]
    chosen = steps if steps in measured else max(measured, default=None)
    return () if chosen is None else study.of(method, chosen)
