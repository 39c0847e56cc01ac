from __future__ import annotations

import numpy as np
import pytest

from tests.report.conftest import Built

CELLS = (
    "experiment,cell,method,steps,train_seed,sample_seed,metric,value,ci_low,ci_high,n,unit,kind,"
    "higher_is_better,status"
)
COMPARISONS = "experiment,method,steps,baseline,baseline_steps,metric,difference,ci_low,ci_high,p_holm,better"


def test_columns_are_the_contract(built: Built) -> None:
    assert (built.out / "cells.csv").read_text().splitlines()[0] == CELLS
    assert (built.out / "comparisons.csv").read_text().splitlines()[0] == COMPARISONS


def test_whole_numbers_stay_whole_beside_empty_fields(built: Built) -> None:
    lines = (built.out / "cells.csv").read_text().splitlines()
    assert any(line.split(",")[1:4] == ["MutualForcing@4-t0-s1", "MutualForcing", "4"] for line in lines)
    assert any(line.split(",")[1:6] == ["real", "real", "", "", ""] for line in lines)


def test_every_value_of_every_record_is_in_the_table(built: Built) -> None:
    cells = built.cells()
    row = cells[(cells.cell == "MutualForcing@4-t0-s1") & (cells.metric == "per")].iloc[0]
    entry = built.record("MutualForcing@4-t0-s1")["metrics"]["per"]
    assert row.value == pytest.approx(entry["value"], rel=1e-7)
    assert row.ci_low < row.value < row.ci_high
    assert (row.train_seed, row.sample_seed, row.n, row.unit) == ("0", "1", 16, "phonemes")
    assert (row.kind, row.higher_is_better, row.status) == ("quality", False, "ok")


def test_pooled_rows_and_anchors(built: Built) -> None:
    cells = built.cells()
    pooled = cells[cells.sample_seed == "all"]
    assert (pooled.train_seed == "all").all()
    assert not pooled.duplicated(["method", "steps", "metric"]).any()
    assert len(pooled[(pooled.metric == "sync_corr") & pooled.steps.notna()]) == 9
    real = cells[(cells.method == "real") & (cells.metric == "kavd_lite")]
    assert real.steps.isna().all()
    null = cells[(cells.method == "null") & (cells.metric == "kavd_lite")]
    assert null.value.isna().all()
    assert set(null.status) == {"not_applicable"}


def test_a_failed_cell_stands_in_the_table_without_numbers(built: Built) -> None:
    cells = built.cells()
    failed = cells[cells.cell == "SelfForcing@50-t0-s2"]
    assert list(failed.status) == ["failed"]
    assert failed.value.isna().all()


def test_comparisons(built: Built) -> None:
    rows = built.comparisons()
    assert set(rows.better) <= {"yes", "no", "unclear"}
    assert rows.p_holm.between(0, 1).all()
    few = rows[(rows.method == "MutualForcing") & (rows.steps == 1) & (rows.metric == "kavd_lite")]
    at_50, at_equal = (few[few.baseline_steps == s].iloc[0] for s in (50, 1))
    assert (at_50.better, at_equal.better) == ("no", "yes")
    assert not ((rows.method == rows.baseline) & (rows.steps == rows.baseline_steps)).any()
    assert (rows[rows.metric == "av_offset_ms"].better == "unclear").all()
    assert not rows.metric.isin(["rtf", "train_flops", "nfe_per_chunk"]).any()
    assert np.allclose(few.difference, few.difference.clip(few.ci_low, few.ci_high))
