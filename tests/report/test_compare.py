from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mfbench.report.compare import Baseline, baselines, compare, verdict
from mfbench.report.estimates import Difference, Estimates
from mfbench.report.load import Study, load
from mfbench.report.statistics import Interval
from tests.report.conftest import Built

EQUAL = Baseline("TeacherForcing", None)


@pytest.fixture
def study(built: Built) -> Study:
    return load([built.run])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("TeacherForcing@50", [Baseline("TeacherForcing", 50), EQUAL]),
        ("SelfForcing", [Baseline("SelfForcing", None), EQUAL]),
        (
            ["TeacherForcing@4", "SelfForcing", "Unknown@3"],
            [Baseline("TeacherForcing", 4), Baseline("SelfForcing", None), EQUAL],
        ),
        (None, [Baseline("TeacherForcing", 50), EQUAL]),
    ],
)
def test_baselines(study: Study, given: object, expected: list[Baseline]) -> None:
    changed = replace(study, settings=study.settings | {"report": {"baseline": given}})
    assert list(baselines(changed)) == expected


def test_no_pair_is_compared_twice(study: Study) -> None:
    found = [c.difference for c in compare(study, Estimates(study))]
    keys = [(d.method, d.steps, d.baseline, d.baseline_steps, d.metric) for d in found]
    assert len(keys) == len(set(keys))
    assert not any(d.method == d.baseline and d.steps == d.baseline_steps for d in found)


def item(value: float, *, higher_is_better: bool | None) -> Difference:
    around = Interval(value - 1, value + 1)
    return Difference("A", 4, "B", 50, "m", value, around, 0.0, higher_is_better, np.array([value]))


def test_a_verdict_needs_direction_interval_and_corrected_p() -> None:
    assert verdict(item(3, higher_is_better=True), 0.01) == "yes"
    assert verdict(item(3, higher_is_better=False), 0.01) == "no"
    assert verdict(item(-3, higher_is_better=False), 0.01) == "yes"
    assert verdict(item(3, higher_is_better=None), 0.01) == "unclear"
    assert verdict(item(0.5, higher_is_better=True), 0.01) == "unclear"
    assert verdict(item(3, higher_is_better=True), 0.05) == "unclear"
    assert verdict(replace(item(3, higher_is_better=True), interval=None), 0.01) == "unclear"
