"""Against scipy, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mfbench.report.inference import Measured, hypervolume, probability_of_improvement, rank_shares
from mfbench.report.statistics import hierarchical_weights, interval, weighted_means


def test_one_sided_tests_are_those_of_scipy() -> None:
    values = np.array([0.3, -0.1, 0.25, 0.4, 0.05])
    measured = Measured(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)
    for bound in (-0.2, 0.1, 0.6):
        oracle = stats.ttest_1samp(values, bound, alternative="less").pvalue
        assert measured.p_below(bound) == pytest.approx(oracle)


def test_an_exact_value_needs_no_test() -> None:
    assert Measured(0.75, 0.0).p_below(1.0) == 0.0
    assert Measured(1.0, 0.0).p_below(1.0) == 1.0


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


def test_intervals_of_the_hierarchical_bootstrap_cover_the_truth() -> None:
    """95 % intervals of a mean over crossed seeds and prompts hold it in about 95 % of draws.

    Variance between trainings is left out: three trainings are too few for a bootstrap to see it all.
    """
    rng = np.random.default_rng(2)
    covered = 0
    for draw in range(200):
        prompts = rng.normal(0, 1, 40)
        values = prompts + rng.normal(0, 0.5, (1, 3, 40))
        weights = hierarchical_weights(1, 3, 40, 400, np.random.default_rng(draw))
        found = interval(float(values.mean()), weighted_means(values, weights))
        assert found is not None
        covered += found.low <= 0.0 <= found.high
    assert 0.90 <= covered / 200 <= 0.98
