from __future__ import annotations

import numpy as np
import pytest

from mfbench.report.estimates import Estimates, difference
from mfbench.report.load import load
from tests.report.conftest import Built


@pytest.fixture(scope="module")
def estimates(built: Built) -> Estimates:
    return Estimates(load([built.run]))


def test_a_pooled_value_is_the_mean_of_its_cells(built: Built, estimates: Estimates) -> None:
    values = [built.record(f"TeacherForcing@4-t0-s{s}")["metrics"]["sync_corr"]["value"] for s in (0, 1, 2)]
    found = estimates.get("TeacherForcing", 4, "sync_corr")
    assert found is not None
    assert found.value == pytest.approx(np.mean(values))
    assert found.n == 48
    assert found.interval is not None
    assert found.interval.low < np.mean(values) < found.interval.high


def test_timings_are_measured_once_however_often_they_are_repeated(estimates: Estimates) -> None:
    found = estimates.get("TeacherForcing", 4, "rtf")
    assert found is not None
    assert found.n == 3


def test_pairing_takes_the_prompts_out_of_a_difference(estimates: Estimates) -> None:
    candidate, baseline = (estimates.get(m, 4, "per") for m in ("MutualForcing", "TeacherForcing"))
    assert candidate is not None
    assert baseline is not None
    found = difference(candidate, baseline)
    assert found is not None
    assert candidate.interval is not None
    assert baseline.interval is not None
    assert found.interval is not None
    alone = sum((e.interval.high - e.interval.low) ** 2 for e in (candidate, baseline) if e.interval)
    assert found.interval.high - found.interval.low < 0.8 * np.sqrt(alone)
    assert found.p < 0.01


def test_a_set_metric_is_paired_by_replicate(estimates: Estimates) -> None:
    candidate, baseline = (estimates.get(m, 4, "kavd_lite") for m in ("MutualForcing", "TeacherForcing"))
    assert candidate is not None
    assert baseline is not None
    found = difference(candidate, baseline)
    assert found is not None
    assert found.value == pytest.approx((candidate.value or 0) - (baseline.value or 0))
    assert found.interval is not None
    assert found.interval.high < 0


def test_a_failed_cell_leaves_the_others_of_its_group(estimates: Estimates) -> None:
    found = estimates.get("SelfForcing", 50, "sync_corr")
    assert found is not None
    assert found.n == 32
    assert found.samples is not None
    assert np.isnan(found.samples[0, 2]).all()
    baseline = estimates.get("TeacherForcing", 50, "sync_corr")
    assert baseline is not None
    assert difference(found, baseline) is not None


def test_what_cannot_be_paired_is_not_compared(estimates: Estimates) -> None:
    real, candidate = estimates.get("real", None, "per"), estimates.get("SelfForcing", 4, "per")
    timing = estimates.get("SelfForcing", 4, "rtf")
    assert real is not None
    assert candidate is not None
    assert timing is not None
    assert difference(candidate, real) is None
    assert difference(timing, timing) is None
    assert estimates.get("null", None, "kavd_lite") is None
