"""Uncertainty: hierarchical bootstrap, paired sign-flip test, Holm's correction, Pareto front (numpy only).

The unit of analysis is a prompt with its sampling seeds. Every cell of a report is resampled with the *same*
weights, so a difference of two cells is paired replicate by replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REPLICATES = 2000
PERMUTATIONS = 10_000
EXACT_UP_TO = 12  # clusters; 2^12 sign patterns are enumerated instead of drawn
LEVEL = 0.95
SEED = 20_260_101


@dataclass(frozen=True)
class Interval:
    """A two-sided interval at `LEVEL`."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def hierarchical_weights(
    train_seeds: int, sample_seeds: int, prompts: int, replicates: int, generator: np.random.Generator
) -> Floats:
    """Bootstrap counts [replicates, train_seeds, sample_seeds, prompts].

    Training seeds and prompts are drawn with replacement (crossed: all trainings see the same prompts); each
    drawn pair then draws its sampling seeds. Source: Davison and Hinkley 1997, section 3.8.
    """
    trained = generator.multinomial(train_seeds, np.full(train_seeds, 1 / train_seeds), replicates)
    prompted = generator.multinomial(prompts, np.full(prompts, 1 / prompts), replicates)
    pairs = trained[:, :, None] * prompted[:, None, :] * sample_seeds
    drawn = generator.multinomial(pairs, np.full(sample_seeds, 1 / sample_seeds))
    return np.ascontiguousarray(np.moveaxis(drawn, -1, 2), dtype=np.float64)


@lru_cache(maxsize=16)
def shared_weights(train_seeds: int, sample_seeds: int, prompts: int, replicates: int = REPLICATES) -> Floats:
    """The one set of weights that all cells of this shape share."""
    generator = np.random.default_rng([SEED, train_seeds, sample_seeds, prompts])
    return hierarchical_weights(train_seeds, sample_seeds, prompts, replicates, generator)


def weighted_means(values: Floats, weights: Floats) -> Floats:
    """Means [replicates] of values [train_seeds, sample_seeds, prompts]; NaN entries do not count."""
    flat = weights.reshape(len(weights), -1)
    present = np.isfinite(values).ravel()
    total = flat[:, present] @ values.ravel()[present]
    count = flat[:, present].sum(axis=1)
    means: Floats = np.full(len(weights), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def seed_means(replicates: Floats, generator: np.random.Generator) -> Floats:
    """Pool replicates [train_seeds, sample_seeds, r] of a set metric over resampled seeds; NaN cells drop."""
    trains, samples, count = replicates.shape
    weights = hierarchical_weights(trains, samples, 1, count, generator)[..., 0]
    present: NDArray[np.bool_] = np.asarray(np.isfinite(replicates).all(axis=-1))
    chosen: Floats = weights * present
    total = np.einsum("rts,tsr->r", chosen, np.where(present[..., None], replicates, 0.0))
    means: Floats = np.full(count, np.nan)
    np.divide(total, chosen.sum(axis=(1, 2)), out=means, where=chosen.sum(axis=(1, 2)) > 0)
    return means


def interval(centre: float, replicates: Floats, level: float = LEVEL) -> Interval | None:
    """Percentile interval, shifted so that the replicates' mean lies on the estimate; None without spread.

    For means the shift is zero up to Monte Carlo noise; for set metrics it removes the bias that duplicated
    clips bring into a bootstrap.
    """
    finite = replicates[np.isfinite(replicates)]
    if len(finite) < 20 or np.ptp(finite) == 0:
        return None
    low, high = np.quantile(finite - finite.mean(), [(1 - level) / 2, (1 + level) / 2])
    if low == high:  # nearly all replicates agree: they say nothing about the spread
        return None
    return Interval(float(centre + min(low, 0.0)), float(centre + max(high, 0.0)))


@lru_cache(maxsize=16)
def sign_patterns(clusters: int, draws: int = PERMUTATIONS) -> Floats:
    """Signs [patterns, clusters]: every pattern for few clusters, else `draws` random ones."""
    if clusters <= EXACT_UP_TO:
        return np.array(list(product((-1.0, 1.0), repeat=clusters)), dtype=np.float64)
    generator = np.random.default_rng([SEED, clusters, draws])
    signs: Floats = generator.choice(np.array([-1.0, 1.0]), (draws, clusters))
    return signs


def sign_flip_p(differences: Floats) -> float:
    """Two-sided p of a paired permutation test of differences [clusters], which the null makes symmetric."""
    kept = differences[np.isfinite(differences)]
    if len(kept) < 2:
        return 1.0
    observed = abs(kept.mean()) * (1 - 1e-12)  # equal up to rounding counts as equal
    signs = sign_patterns(len(kept))
    extreme = int(np.count_nonzero(np.abs(signs @ kept) / len(kept) >= observed))
    if len(kept) <= EXACT_UP_TO:
        return extreme / len(signs)
    return (extreme + 1) / (len(signs) + 1)


def normal_p(difference: float, replicates: Floats) -> float:
    """Two-sided p of a set metric's difference, with the standard error of its paired replicates.

    A count of replicates beyond 0 could never get below 1 / replicates, which Holm's correction turns into 1;
    the difference of two U-statistics is asymptotically normal.
    """
    finite = replicates[np.isfinite(replicates)]
    spread = float(finite.std(ddof=1)) if len(finite) > 1 else 0.0
    if spread == 0.0:
        return 1.0
    return float(erfc(abs(difference) / spread / sqrt(2)))


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979), in the order given."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted: Floats = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def pareto_front(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which points no other point beats: both coordinates are better when smaller."""
    no_worse = (x[:, None] <= x[None, :]) & (y[:, None] <= y[None, :])
    better = (x[:, None] < x[None, :]) | (y[:, None] < y[None, :])
    return np.asarray(~(no_worse & better).any(axis=0))


def front_shares(x: Floats, y: Floats) -> Floats:
    """Share of bootstrap replicates in which each point is on the Pareto front, [points].

    Args:
        x: replicates of the first coordinate, smaller is better, [points, replicates]; [points, 1] where it
            has no spread.
        y: of the second, paired with them.
    """
    x, y = np.broadcast_arrays(x, y)
    whole = np.flatnonzero(np.isfinite(x).all(axis=0) & np.isfinite(y).all(axis=0))
    if not len(whole):
        return np.full(len(x), np.nan)
    on_front = np.stack([pareto_front(x[:, r], y[:, r]) for r in whole])
    shares: Floats = on_front.mean(axis=0)
    return shares


def surely_dominated(x: Floats, y: Floats, x_draws: Floats, y_draws: Floats) -> NDArray[np.bool_]:
    """Which points another one beats in both coordinates, with intervals of both differences below 0.

    A front that forgives differences within their error (epsilon-dominance of Laumanns et al. 2002, with the
    interval of each difference as its epsilon). A difference without spread counts as exact.

    Args:
        x: estimates of the first coordinate, smaller is better, [points].
        y: of the second.
        x_draws: bootstrap replicates of x, [points, replicates], or [points, 1] where it has no spread.
        y_draws: of y, paired over points.
    """
    points = range(len(x))
    return np.array(
        [
            any(_surely_less(x, x_draws, i, j) and _surely_less(y, y_draws, i, j) for i in points)
            for j in points
        ],
        dtype=bool,
    )


def _surely_less(values: Floats, draws: Floats, one: int, other: int) -> bool:
    """Whether the value of `one` is below that of `other`, with the interval of the difference."""
    difference = float(values[one] - values[other])
    if difference >= 0:
        return False
    band = interval(difference, draws[one] - draws[other])
    return band is None or band.high < 0
