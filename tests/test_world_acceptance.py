"""What the committed report must show of the world and of its many-step samplers.

The world was chosen on the teacher-forcing curve alone: near enough to real at 50 steps, and far enough from
that with few steps for a few-step method to have something to win.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

CELLS = Path(__file__).parents[1] / "reports" / "steps_sweep" / "cells.csv"
FLOW_MATCHING = (
    "TeacherForcing",
    "TeacherForcing-CFG",
    "ContinuedTeacherForcing",
    "Bidirectional",
    "Bidirectional-CFG",
)
NEAREST, FEWER, FEW = 4.0, 1.3, 2.0  # of the design, section 6


@pytest.fixture(scope="module")
def pooled() -> pd.DataFrame:
    cells = pd.read_csv(CELLS, keep_default_na=False)
    cells = cells[cells.sample_seed == "all"]
    cells = cells[cells.metric.isin(["favd_lite", "kavd_lite"]) & (cells.status == "ok")]
    return cells.set_index(["method", "steps", "metric"])[["value", "ci_low", "ci_high"]].astype(float)


def test_teacher_forcing_at_50_steps_is_near_real_and_few_steps_are_not(pooled: pd.DataFrame) -> None:
    def favd(method: str, steps: str) -> float:
        return float(pooled.loc[(method, steps, "favd_lite"), "value"])

    best = min(favd("TeacherForcing", "50"), favd("TeacherForcing-CFG", "50"))
    assert best <= NEAREST * favd("real", "")
    assert favd("TeacherForcing", "4") >= FEWER * best
    assert favd("TeacherForcing", "2") >= FEW * best


@pytest.mark.parametrize("method", FLOW_MATCHING)
def test_many_steps_are_not_worse_than_eight(pooled: pd.DataFrame, method: str) -> None:
    many, eight = pooled.loc[(method, "50", "kavd_lite")], pooled.loc[(method, "8", "kavd_lite")]
    assert many.value <= eight.ci_high
