from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Built

from mfbench.report.compare import Baseline, baselines, verdict
from mfbench.report.estimates import Difference
from mfbench.report.load import Study, load
from mfbench.report.statistics import Interval


@pytest.fixture
def study(built: Built) -> Study:
    return load([built.run])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("TeacherForcing@50", [Baseline("TeacherForcing", 50), Baseline("TeacherForcing", None)]),
        ("SelfForcing", [Baseline("SelfForcing", None)]),
        (
            ["TeacherForcing@4", "SelfForcing", "Unknown@3"],
            [Baseline("TeacherForcing", 4), Baseline("SelfForcing", None), Baseline("TeacherForcing", None)],
        ),
        (None, [Baseline("MutualForcing", None)]),
    ],
)
def test_baselines(study: Study, given: object, expected: list[Baseline]) -> None:
    changed = replace(study, settings=study.settings | {"report": {"baseline": given}})
    assert list(baselines(changed)) == expected


def item(value: float, *, higher_is_better: bool | None) -> Difference:
    around = Interval(value - 1, value + 1)
    return Difference("A", 4, "B", 50, "m", value, around, 0.0, higher_is_better)


def test_a_verdict_needs_direction_interval_and_corrected_p() -> None:
    assert verdict(item(3, higher_is_better=True), 0.01) == "yes"
    assert verdict(item(3, higher_is_better=False), 0.01) == "no"
    assert verdict(item(-3, higher_is_better=False), 0.01) == "yes"
    assert verdict(item(3, higher_is_better=None), 0.01) == "unclear"
    assert verdict(item(0.5, higher_is_better=True), 0.01) == "unclear"
    assert verdict(item(3, higher_is_better=True), 0.05) == "unclear"
    assert verdict(replace(item(3, higher_is_better=True), interval=None), 0.01) == "unclear"
