"""From cells to estimates: one number with an interval per (method, steps, metric), paired differences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mfbench.report.load import Cell, Metric, Study
from mfbench.report.statistics import (
    SEED,
    Floats,
    Interval,
    interval,
    normal_p,
    seed_means,
    shared_weights,
    sign_flip_p,
    weighted_means,
)

Key = tuple[str, int | None]


@dataclass(frozen=True)
class Estimate:
    """One metric of one cell, or pooled over the seeds of a (method, steps).

    Attributes:
        samples: per-clip values [train_seeds, sample_seeds, prompts] (NaN: not there), for mean metrics.
        replicates: bootstrap replicates [train_seeds, sample_seeds, r], for set metrics.
    """

    method: str
    steps: int | None
    metric: str
    value: float | None
    interval: Interval | None
    n: int | None
    unit: str
    kind: str
    higher_is_better: bool | None
    status: str
    coverage: float | None = None
    samples: Floats | None = None
    replicates: Floats | None = None


@dataclass(frozen=True)
class Difference:
    """(method, steps) minus (baseline, baseline_steps), paired by prompt, seeds and bootstrap replicate.

    Attributes:
        replicates: of the difference, [replicates].
    """

    method: str
    steps: int | None
    baseline: str
    baseline_steps: int | None
    metric: str
    value: float
    interval: Interval | None
    p: float
    higher_is_better: bool | None
    replicates: Floats


class Estimates:
    """Every pooled estimate of a study, by (method, steps) and metric."""

    def __init__(self, study: Study) -> None:
        self.train_seeds = _seeds(cell.train_seed for cell in study.cells)
        self.sample_seeds = _seeds(cell.sample_seed for cell in study.cells)
        self.seeds = (self.train_seeds, self.sample_seeds)
        self.by_key: dict[tuple[str, int | None, str], Estimate] = {}
        for method, steps in study.groups():
            cells = study.of(method, steps)
            for name in sorted({name for cell in cells for name in cell.metrics}):
                self.by_key[method, steps, name] = self.pool(cells, name)

    def get(self, method: str, steps: int | None, metric: str) -> Estimate | None:
        """The pooled estimate, or None where it was not measured or has no value."""
        found = self.by_key.get((method, steps, metric))
        return found if found is not None and found.value is not None else None

    def metrics(self, kind: str) -> tuple[str, ...]:
        """Names of one kind that have at least one value."""
        return tuple(
            dict.fromkeys(e.metric for e in self.by_key.values() if e.kind == kind and e.value is not None)
        )

    def example(self, metric: str) -> Estimate | None:
        """Any estimate of a metric, preferably with a value: for its unit and direction."""
        found = [e for e in self.by_key.values() if e.metric == metric]
        return next((e for e in found if e.value is not None), found[0] if found else None)

    def pool(self, cells: tuple[Cell, ...], name: str) -> Estimate:
        """One metric over all cells of a (method, steps); the value is the mean over cells."""
        entries = [cell.metrics[name] for cell in cells if name in cell.metrics]
        values = [entry.value for entry in entries if entry.value is not None]
        value = float(np.mean(values)) if values else None
        samples, replicates = self._grid(cells, name, "per_clip"), self._grid(cells, name, "replicates")
        return _estimate(cells[0], entries, value, samples, replicates)

    def _grid(self, cells: tuple[Cell, ...], name: str, field: str) -> Floats | None:
        """Arrays of all cells as [train_seeds, sample_seeds, length]; anchors have one of each."""
        found = [(cell, getattr(cell.metrics[name], field)) for cell in cells if name in cell.metrics]
        found = [(cell, array) for cell, array in found if array is not None]
        lengths = {len(array) for _, array in found}
        if len(lengths) != 1:
            return None
        anchor = cells[0].is_anchor
        shape = (1, 1) if anchor else (len(self.train_seeds), len(self.sample_seeds))
        grid: Floats = np.full((*shape, lengths.pop()), np.nan)
        for cell, array in found:
            t = 0 if anchor else self.train_seeds.index(cell.train_seed)
            s = 0 if anchor else self.sample_seeds.index(cell.sample_seed)
            grid[t, s] = array
        return grid


def of_cell(cell: Cell, metric: Metric) -> Estimate:
    """The estimate of a single cell: its own value, resampled over prompts."""
    samples = None if metric.per_clip is None else metric.per_clip[None, None]
    replicates = None if metric.replicates is None else metric.replicates[None, None]
    return _estimate(cell, [metric], metric.value, samples, replicates)


def _estimate(
    cell: Cell, entries: list[Metric], value: float | None, samples: Floats | None, replicates: Floats | None
) -> Estimate:
    first = entries[0]
    pooled = first.kind == "quality"  # timings and costs are measured once and repeated in every cell
    counts = [entry.n for entry in entries if entry.n is not None]
    coverage = [entry.coverage for entry in entries if entry.coverage is not None]
    return Estimate(
        method=cell.method,
        steps=cell.steps,
        metric=first.name,
        value=value,
        interval=None if value is None else _interval(value, samples, replicates),
        n=(sum(counts) if pooled else counts[0]) if counts else None,
        unit=first.unit,
        kind=first.kind,
        higher_is_better=first.higher_is_better,
        status=_status(entries),
        coverage=float(np.mean(coverage)) if coverage else None,
        samples=samples,
        replicates=replicates,
    )


def pooled_replicates(estimate: Estimate) -> Floats | None:
    """Bootstrap replicates of a pooled estimate; those of two estimates of one shape are paired."""
    return _replicates(estimate.samples, estimate.replicates)


def _interval(value: float, samples: Floats | None, replicates: Floats | None) -> Interval | None:
    pooled = _replicates(samples, replicates)
    return None if pooled is None else interval(value, pooled)


def _replicates(samples: Floats | None, replicates: Floats | None) -> Floats | None:
    """Pooled bootstrap replicates of per-clip values, or of a set metric's own replicates."""
    if samples is not None:
        return weighted_means(samples, shared_weights(*samples.shape))
    if replicates is not None:
        return seed_means(replicates, np.random.default_rng([SEED, *replicates.shape]))
    return None


def _status(entries: list[Metric]) -> str:
    statuses = sorted({entry.status for entry in entries})
    return statuses[0] if len(statuses) == 1 else "partial"


def difference(candidate: Estimate, baseline: Estimate) -> Difference | None:
    """The paired difference, or None where nothing can be paired."""
    if candidate.value is None or baseline.value is None or candidate.kind != "quality":
        return None
    value = candidate.value - baseline.value
    samples = _minus(candidate.samples, baseline.samples)
    replicates = _minus(candidate.replicates, baseline.replicates)
    pooled = _replicates(samples, replicates)
    if pooled is None:
        return None
    return Difference(
        candidate.method,
        candidate.steps,
        baseline.method,
        baseline.steps,
        candidate.metric,
        value,
        interval(value, pooled),
        _p(value, samples, pooled),
        candidate.higher_is_better,
        pooled,
    )


def _p(value: float, samples: Floats | None, pooled: Floats) -> float:
    if samples is None:
        return normal_p(value, pooled)
    present = np.isfinite(samples)
    count = present.sum(axis=(0, 1))
    total = np.where(present, samples, 0.0).sum(axis=(0, 1))
    by_prompt = total[count > 0] / count[count > 0]
    return sign_flip_p(by_prompt)


def _minus(left: Floats | None, right: Floats | None) -> Floats | None:
    if left is None or right is None or left.shape != right.shape:
        return None
    return left - right


def _seeds(values: Iterable[int | None]) -> tuple[int | None, ...]:
    return tuple(sorted({value for value in values if value is not None})) or (None,)
