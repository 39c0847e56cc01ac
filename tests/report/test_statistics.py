from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mfbench.report.statistics import (
    front_shares,
    hierarchical_weights,
    holm,
    interval,
    normal_p,
    pareto_front,
    seed_means,
    shared_weights,
    sign_flip_p,
    surely_dominated,
    weighted_means,
)

NORMAL_95 = 1.959964


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_every_replicate_draws_as_many_clips_as_there_are(trains: int, samples: int, prompts: int) -> None:
    weights = hierarchical_weights(trains, samples, prompts, 50, generator())
    assert weights.shape == (50, trains, samples, prompts)
    assert (weights.sum(axis=(1, 2, 3)) == trains * samples * prompts).all()
    assert (weights >= 0).all()


def test_interval_of_independent_clips_is_the_normal_one() -> None:
    values = generator(1).normal(3.0, 2.0, (1, 1, 400))
    found = interval(values.mean(), weighted_means(values, shared_weights(1, 1, 400)))
    assert found is not None
    half = NORMAL_95 * values.std() / math.sqrt(400)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.06)
    assert (found.high + found.low) / 2 == pytest.approx(values.mean(), abs=0.05 * half)


def test_interval_agrees_with_scipys_percentile_bootstrap() -> None:
    values = generator(2).exponential(1.0, 60)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=generator(3))
    ours = interval(values.mean(), weighted_means(values[None, None], shared_weights(1, 1, 60)))
    assert ours is not None
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.06 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.06 * width)


def test_equal_clips_of_one_prompt_count_once() -> None:
    """Three sampling seeds that repeat each other must not narrow the interval by sqrt(3)."""
    by_prompt = generator(4).normal(0.0, 1.0, 80)
    once = interval(0.0, weighted_means(by_prompt[None, None], shared_weights(1, 1, 80)))
    thrice = interval(0.0, weighted_means(np.tile(by_prompt, (1, 3, 1)), shared_weights(1, 3, 80)))
    assert once is not None
    assert thrice is not None
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.08)


def test_training_seeds_widen_the_interval_when_they_differ() -> None:
    noise = generator(5).normal(0.0, 0.1, (3, 2, 40))
    shifted = noise + np.array([-1.0, 0.0, 1.0])[:, None, None]
    flat, wide = (interval(0.0, weighted_means(x, shared_weights(3, 2, 40))) for x in (noise, shifted))
    assert flat is not None
    assert wide is not None
    assert wide.high - wide.low > 5 * (flat.high - flat.low)


def test_missing_clips_do_not_count() -> None:
    values = np.array([[[1.0, np.nan, 3.0, np.nan]]])
    weights = np.array([[[[2.0, 5.0, 1.0, 0.0]]], [[[0.0, 4.0, 0.0, 0.0]]]])
    means = weighted_means(values, weights)
    assert means[0] == pytest.approx((2 * 1 + 3) / 3)
    assert math.isnan(means[1])


def test_interval_removes_the_bias_of_replicates_and_needs_spread() -> None:
    replicates = generator(6).normal(5.0, 1.0, 4000)  # an estimate of 2 whose bootstrap is biased by 3
    found = interval(2.0, replicates)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((2 - NORMAL_95, 2 + NORMAL_95), abs=0.12)
    assert interval(2.0, np.full(100, 2.0)) is None
    assert interval(2.0, np.array([np.nan] * 100)) is None


def test_seed_means_pool_replicates_of_the_same_prompts() -> None:
    shared = generator(7).normal(0.0, 1.0, 500)
    pooled = seed_means(np.tile(shared, (1, 3, 1)), generator())
    assert pooled == pytest.approx(shared)  # the same prompts are drawn in every cell: nothing averages out
    holed = np.tile(shared, (1, 3, 1))
    holed[0, 1] = np.nan
    kept = seed_means(holed, generator())
    assert np.isfinite(kept).mean() > 0.9
    assert kept[np.isfinite(kept)] == pytest.approx(shared[np.isfinite(kept)])


def test_sign_flip_is_exact_for_few_clusters() -> None:
    differences = np.array([0.4, 1.2, -0.3, 0.9, 0.8, 0.1, 0.7, -0.2])
    theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(differences) == pytest.approx(theirs.pvalue)
    assert sign_flip_p(np.ones(8)) == 2 / 2**8
    assert sign_flip_p(np.zeros(8)) == 1.0
    assert sign_flip_p(np.array([1.0, np.nan])) == 1.0


def test_sign_flip_of_many_clusters_is_close_to_the_t_test() -> None:
    differences = generator(8).normal(0.25, 1.0, 80)
    assert sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, abs=0.01)
    assert sign_flip_p(np.full(80, 0.5)) == pytest.approx(1 / 10_001)


def test_sign_flip_is_level_under_the_null() -> None:
    p = np.array([sign_flip_p(generator(100 + k).normal(0.0, 1.0, 30)) for k in range(400)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_normal_p_is_the_two_sided_tail() -> None:
    replicates = generator(9).normal(1.0, 0.5, 2000)
    z = 1.0 / replicates.std(ddof=1)
    assert normal_p(1.0, replicates) == pytest.approx(2 * stats.norm.sf(z))
    assert normal_p(1.0, np.ones(50)) == 1.0


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([])).shape == (0,)


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_lies_between_raw_and_bonferroni_and_keeps_the_order(p: np.ndarray) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(p * len(p), 1.0) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 5).map(float)))
def test_pareto_front_is_what_no_other_point_beats(points: np.ndarray) -> None:
    def beaten(i: int) -> bool:
        return any((q <= points[i]).all() and (q < points[i]).any() for q in points)

    expected = [not beaten(i) for i in range(len(points))]
    assert pareto_front(points[:, 0], points[:, 1]).tolist() == expected


def test_an_interval_holds_its_estimate_and_needs_more_than_a_few_odd_replicates() -> None:
    nearly_equal = np.concatenate([np.ones(199), [0.5]])
    assert interval(0.97, nearly_equal) is None
    skewed = interval(1.0, np.concatenate([np.zeros(60), np.ones(40)]))
    assert skewed is not None
    assert skewed.low <= 1.0 <= skewed.high


def test_shares_of_the_front_are_probabilities_of_the_order() -> None:
    """Of two points as fast as each other, each is on the front with the probability of being better."""
    rng = generator(10)
    x = np.array([[1.0], [1.0], [2.0]])
    y = np.stack([rng.normal(0.0, 1.0, 8000), rng.normal(0.5, 1.0, 8000), rng.normal(90.0, 1.0, 8000)])
    shares = front_shares(x, y)
    ahead = stats.norm.cdf(0.5 / math.sqrt(2))
    assert shares == pytest.approx([ahead, 1 - ahead, 0.0], abs=0.015)
    y[0, :10] = np.nan  # a replicate counts only where every point has it
    assert front_shares(x, y) == pytest.approx(shares, abs=0.01)
    assert np.isnan(front_shares(x, np.full((3, 5), np.nan))).all()


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(0, 5).map(float)))
def test_without_spread_shares_are_the_front_itself(points: np.ndarray) -> None:
    x, y = points[:, :1], points[:, 1:]
    assert front_shares(x, y).tolist() == pareto_front(points[:, 0], points[:, 1]).astype(float).tolist()


def test_only_a_sure_loss_in_both_coordinates_dominates() -> None:
    rng = generator(11)
    noise = rng.normal(0.0, 1.0, 4000)
    x, y = np.array([1.0, 2.0, 2.0, 1.0]), np.array([0.0, 0.5, 9.0, 9.0])
    apart = y[:, None] + rng.normal(0.0, 1.0, (4, 4000))
    exact = x[:, None]
    # the second is worse by half a standard error, the third by nine, the fourth is as fast as the first
    assert surely_dominated(x, y, exact, apart).tolist() == [False, False, True, False]
    together = y[:, None] + noise + rng.normal(0.0, 0.01, (4, 4000))  # paired: the same clips decide
    assert surely_dominated(x, y, exact, together).tolist() == [False, True, True, False]
    jitter = x[:, None] + rng.normal(0.0, 1.0, (4, 4000))  # the latencies are no longer told apart
    assert not surely_dominated(x, y, jitter, together).any()


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(0, 5).map(float)))
def test_sure_domination_is_never_more_than_domination(points: np.ndarray) -> None:
    x, y = points.T
    beaten = surely_dominated(x, y, x[:, None], y[:, None])
    strictly = [bool(((points < own).all(axis=1)).any()) for own in points]
    assert beaten.tolist() == strictly
    assert not (beaten & pareto_front(x, y)).any()
