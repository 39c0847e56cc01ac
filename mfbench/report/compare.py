"""Which cells are compared with which baseline, and what the comparison says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from mfbench.report.estimates import Difference, Estimates, difference
from mfbench.report.load import ANCHORS, Study
from mfbench.report.statistics import holm

ALPHA = 0.05
CONTROLS = ("TeacherForcing", "ContinuedTeacherForcing")  # what every method must beat at equal steps


@dataclass(frozen=True)
class Baseline:
    """A method at a fixed step count, or (steps None) at the step count of whatever it is compared with."""

    method: str
    steps: int | None

    @property
    def label(self) -> str:
        """How the page calls it."""
        return f"{self.method} at {'equal' if self.steps is None else self.steps} steps"


@dataclass(frozen=True)
class Comparison:
    """A paired difference with its p-value corrected over its family, and the verdict."""

    difference: Difference
    p_holm: float
    better: str
    family: Baseline


def baselines(study: Study) -> tuple[Baseline, ...]:
    """The experiment's `report.baseline`: `Method@steps`, `Method` (at equal steps), or a list of these.

    Without one, teacher forcing at its largest step count. The method of a fixed baseline, teacher forcing
    and its continued control are also compared with at equal steps, where the study has them.
    """
    given = study.report.get("baseline") or _default(study)
    names = [given] if isinstance(given, str) else list(given)
    wanted = [_parse(str(name)) for name in names]
    wanted += [Baseline(name, None) for name in (*(item.method for item in wanted), *CONTROLS)]
    return tuple(item for item in dict.fromkeys(wanted) if item.method in study.methods)


def _default(study: Study) -> list[str]:
    method = CONTROLS[0] if CONTROLS[0] in study.methods else next(iter(study.methods), None)
    steps = [at for name, at in study.groups() if name == method and at is not None]
    return [f"{method}@{max(steps)}"] if steps else []


def _parse(name: str) -> Baseline:
    method, _, steps = name.partition("@")
    return Baseline(method, int(steps) if steps.isdigit() else None)


def compare(study: Study, estimates: Estimates) -> tuple[Comparison, ...]:
    """Every (method, steps) against every baseline on every quality metric.

    Holm's family: all comparisons of one metric with one baseline.
    """
    made: list[Comparison] = []
    for family in baselines(study):
        by_metric: dict[str, list[Difference]] = defaultdict(list)
        for metric in sorted(estimates.metrics("quality")):
            by_metric[metric] = _differences(study, estimates, family, metric)
        for found in by_metric.values():
            adjusted = holm(np.array([item.p for item in found]))
            made += [
                Comparison(item, float(p), verdict(item, float(p)), family)
                for item, p in zip(found, adjusted, strict=True)
            ]
    return tuple(made)


def _differences(study: Study, estimates: Estimates, family: Baseline, metric: str) -> list[Difference]:
    """At equal steps, what a fixed baseline of the same method already covers is left to that family."""
    found = []
    fixed = {item.steps for item in baselines(study) if item.method == family.method}
    for method, steps in study.groups():
        other = steps if family.steps is None else family.steps
        if (
            method in ANCHORS
            or (method, steps) == (family.method, other)
            or (family.steps is None and other in fixed)
        ):
            continue
        candidate = estimates.get(method, steps, metric)
        baseline = estimates.get(family.method, other, metric)
        item = difference(candidate, baseline) if candidate and baseline else None
        if item is not None:
            found.append(item)
    return found


def verdict(item: Difference, p_holm: float) -> str:
    """`yes` or `no` where the interval excludes 0 and the corrected p is below 0.05, else `unclear`."""
    if item.higher_is_better is None or item.interval is None:
        return "unclear"
    if p_holm >= ALPHA or not item.interval.excludes_zero:
        return "unclear"
    return "yes" if (item.value > 0) == item.higher_is_better else "no"
