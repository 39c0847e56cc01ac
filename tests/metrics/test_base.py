from __future__ import annotations

import numpy as np
import pytest

from mfbench.metrics.base import MeanScores, RatioScores, summarise


def test_means_leave_out_what_does_not_count() -> None:
    scores = MeanScores.of(np.array([1.0, np.nan, 3.0, 100.0]), np.array([True, True, True, False]))
    assert scores.per_clip() == [1.0, None, 3.0, None]
    assert scores.value(np.arange(4)) == 2.0
    assert scores.value(np.array([0, 0, 2])) == pytest.approx(5 / 3)
    assert scores.value(np.array([1, 3])) is None


def test_ratios_weigh_long_clips_more() -> None:
    scores = RatioScores(np.ones(2, bool), np.array([1.0, 0.0]), np.array([2.0, 8.0]))
    assert scores.value(np.arange(2)) == pytest.approx(0.1)
    assert scores.per_clip() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("values", "intact", "status", "coverage"),
    [
        ([1.0, 2.0], [True, True], "ok", 1.0),
        ([1.0, np.nan], [True, True], "ok", 0.5),
        ([np.nan, np.nan], [True, True], "not_applicable", 0.0),
        ([1.0, 2.0], [False, False], "failed_generation", 0.0),
    ],
)
def test_status(values: list[float], intact: list[bool], status: str, coverage: float) -> None:
    result = summarise(MeanScores.of(np.array(values), np.array(intact)), np.array(intact))
    assert (result.status, result.coverage) == (status, coverage)
    assert (result.value is None) == (status != "ok")
