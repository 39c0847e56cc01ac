"""Against scipy, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mfbench.report.inference import (
    Measured,
    detectable_effects,
    equivalence,
    hypervolume,
    hypervolume_interval,
    paired,
    probability_of_improvement,
    rank_shares,
)
from mfbench.report.statistics import interval


def test_one_sided_tests_are_those_of_scipy() -> None:
    values = np.array([0.3, -0.1, 0.25, 0.4, 0.05])
    measured = Measured(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)
    for bound in (-0.2, 0.1, 0.6):
        oracle = stats.ttest_1samp(values, bound, alternative="less").pvalue
        assert measured.p_below(bound) == pytest.approx(oracle)
        assert measured.p_above(bound) == pytest.approx(1 - oracle)


def test_an_exact_value_needs_no_test() -> None:
    assert Measured(0.75, 0.0).p_below(1.0) == 0.0
    assert Measured(1.0, 0.0).p_below(1.0) == 1.0
    assert Measured(0.75, 0.0).p_above(0.5) == 0.0
    assert Measured(1.0, 0.0).p_above(1.0) == 1.0


def test_the_detectable_effect_is_found_with_its_power() -> None:
    """A z-test of effects of that size rejects in 80 % of draws."""
    measured = Measured(0.0, 0.1)
    drawn = np.random.default_rng(0).normal(measured.minimum_detectable, measured.error, 20_000)
    assert np.mean(np.abs(drawn / measured.error) > stats.norm.ppf(0.975)) == pytest.approx(0.8, abs=0.01)


@given(arrays(float, 7, elements=st.integers(-3, 3)), arrays(float, 7, elements=st.integers(-3, 3)))
def test_the_probability_of_improvement_is_mann_whitney(a: np.ndarray, b: np.ndarray) -> None:
    found = float(probability_of_improvement(a, b))
    oracle = stats.mannwhitneyu(a, b, method="asymptotic").statistic if np.ptp(np.r_[a, b]) else 24.5
    assert found == pytest.approx(oracle / 49)
    assert found + float(probability_of_improvement(b, a)) == pytest.approx(1.0)
    once = probability_of_improvement(a, b, np.ones((2, 7)))
    assert once == pytest.approx([found, found])


def test_ranks_of_separated_methods_are_certain_and_of_equal_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    shares = rank_shares(np.stack([rng.normal(0, 0.1, 4000), rng.normal(5, 1, 4000), rng.normal(5, 1, 4000)]))
    assert shares[0].tolist() == [1.0, 0.0, 0.0]
    assert shares[1] == pytest.approx([0.0, 0.5, 0.5], abs=0.03)
    assert shares.sum(axis=0) == pytest.approx(np.ones(3))
    assert shares.sum(axis=1) == pytest.approx(np.ones(3))


def test_hypervolume_of_a_staircase() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, 2.0])
    assert hypervolume(x, y, (4.0, 4.0)) == 3 * 1 + 2 * 2  # the third point is dominated
    assert hypervolume(x, y, (1.0, 4.0)) == 0.0
    assert hypervolume(np.array([]), np.array([]), (1.0, 1.0)) == 0.0


@given(arrays(float, (2, 5), elements=st.floats(0, 0.99)))
def test_hypervolume_is_the_area_of_a_monte_carlo(points: np.ndarray) -> None:
    found = hypervolume(points[0], points[1], (1.0, 1.0))
    u = np.random.default_rng(0).random((2, 4000))
    dominated = ((u[0][:, None] >= points[0]) & (u[1][:, None] >= points[1])).any(axis=1)
    assert found == pytest.approx(dominated.mean(), abs=0.04)
    order = np.random.default_rng(1).permutation(5)
    assert hypervolume(points[0][order], points[1][order], (1.0, 1.0)) == pytest.approx(found)


def test_an_interval_of_a_hypervolume_follows_its_heights() -> None:
    """One point at (1, y) below (3, 2) dominates 2 (2 - y): its interval is twice that of y."""
    draws = np.random.default_rng(3).normal(1.0, 0.1, 4000)
    found = hypervolume_interval(np.array([1.0]), np.array([1.0]), draws[None], (3.0, 2.0))
    height = interval(1.0, draws)
    assert found is not None
    assert height is not None
    assert (found.low, found.high) == pytest.approx((2 * (2 - height.high), 2 * (2 - height.low)), abs=0.01)
    assert hypervolume_interval(np.array([1.0]), np.array([1.0]), np.ones((1, 50)), (3.0, 2.0)) is None


@given(arrays(float, 9, elements=st.floats(-2, 2)), st.floats(0.01, 3.0))
def test_equivalence_is_two_one_sided_tests_of_scipy(differences: np.ndarray, margin: float) -> None:
    if np.ptp(differences) < 1e-3:
        return
    found = equivalence(paired(differences), margin)
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    assert (found.p_above, found.p_below) == pytest.approx((above, below), abs=1e-9)
    assert found.p == max(found.p_above, found.p_below)
    ninety = stats.ttest_1samp(differences, 0.0).confidence_interval(0.90)
    inside = -margin < ninety.low and ninety.high < margin
    assert found.equivalent == inside or found.p == pytest.approx(0.05, abs=1e-6)


def test_equivalence_needs_a_margin_and_a_spread() -> None:
    same = equivalence(Measured(0.0, 0.1), 0.3)
    assert same.p_above == same.p_below == pytest.approx(stats.norm.sf(3.0))
    assert same.equivalent
    assert not equivalence(Measured(0.25, 0.1), 0.3).equivalent
    with pytest.raises(ValueError, match="margin=0"):
        equivalence(Measured(0.0, 0.1), 0.0)
    with pytest.raises(ValueError, match="at least 2"):
        paired(np.array([0.3, np.nan]))
    assert paired(np.array([1.0, np.nan, 3.0])).value == 2.0


def test_a_difference_at_the_margin_is_called_equivalent_in_one_of_twenty_draws() -> None:
    rng = np.random.default_rng(5)
    drawn = rng.normal(0.5, 1.0, (4000, 60))
    called = np.mean([equivalence(paired(row), 0.5).equivalent for row in drawn])
    assert called == pytest.approx(0.05, abs=0.012)


def test_detectable_effects_by_table_and_by_simulation() -> None:
    """Half a standard deviation takes 34 pairs (Cohen 1988, paired t-test, two-sided 0.05, power 0.8)."""
    fewer, enough = detectable_effects(1.0, (33, 34))
    assert enough.effect < 0.5 < fewer.effect
    table = detectable_effects(2.0)
    assert [row.n for row in table] == [16, 32, 64, 128]
    rng = np.random.default_rng(6)
    for row in table[:2]:
        drawn = rng.normal(row.effect, 2.0, (8000, row.n))
        assert np.mean(stats.ttest_1samp(drawn, 0.0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.015)
    large = detectable_effects(2.0, (4000,))[0].effect
    assert large == pytest.approx(Measured(0.0, 2.0 / np.sqrt(4000)).minimum_detectable, rel=0.002)
