"""Tests, ranks and fronts on top of `statistics`: equivalence, detectable effects, who is best how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy import optimize, stats

from mfbench.report.statistics import LEVEL, Floats, Interval, interval

NORMAL = NormalDist()
POWER = 0.8
COUNTS = (16, 32, 64, 128)  # prompts of a table of detectable effects


@dataclass(frozen=True)
class Measured:
    """A value with its standard error.

    Attributes:
        freedom: degrees of freedom of Student's t; None for the normal distribution of a bootstrap.
    """

    value: float
    error: float
    freedom: int | None = None

    def p_below(self, bound: float) -> float:
        """One-sided p for a true value below the bound; 0 or 1 where there is no error."""
        if self.error == 0:
            return float(self.value >= bound)
        z = (self.value - bound) / self.error
        return NORMAL.cdf(z) if self.freedom is None else float(stats.t.cdf(z, self.freedom))

    def p_above(self, bound: float) -> float:
        """One-sided p for a true value above the bound; 0 or 1 where there is no error."""
        return Measured(-self.value, self.error, self.freedom).p_below(-bound)

    @property
    def minimum_detectable(self) -> float:
        """Effect that a two-sided test at 1 - `LEVEL` finds with a power of 0.8."""
        return (NORMAL.inv_cdf((1 + LEVEL) / 2) + NORMAL.inv_cdf(POWER)) * self.error


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a difference against a margin.

    Attributes:
        p_above: for a true difference above -margin.
        p_below: for one below +margin.
    """

    p_above: float
    p_below: float

    @property
    def p(self) -> float:
        """Of both together: the larger."""
        return max(self.p_above, self.p_below)

    @property
    def equivalent(self) -> bool:
        """Whether the difference lies within the margin, at 1 - `LEVEL` for each of the two tests."""
        return self.p < 1 - LEVEL


@dataclass(frozen=True)
class Detectable:
    """The effect that a paired comparison over `n` prompts finds with a power of 0.8."""

    n: int
    effect: float


def paired(differences: Floats) -> Measured:
    """Mean of differences [clusters] with its standard error, for Student's t; NaN ones do not count.

    Raises:
        ValueError: with fewer than two of them.
    """
    kept = differences[np.isfinite(differences)]
    if len(kept) < 2:
        raise ValueError(f"{len(kept)} paired differences have no spread; at least 2 are wanted")
    return Measured(float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(len(kept))), len(kept) - 1)


def equivalence(difference: Measured, margin: float) -> Equivalence:
    """Whether a (paired) difference lies within -margin .. +margin.

    Source: Schuirmann 1987, two one-sided tests (TOST); with Student's t for `paired` differences.

    Raises:
        ValueError: for a margin that is not positive.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin}: two values are equivalent within a positive margin only")
    return Equivalence(difference.p_above(-margin), difference.p_below(margin))


def detectable_effects(spread: float, counts: Sequence[int] = COUNTS) -> tuple[Detectable, ...]:
    """Mean difference that a two-sided paired t-test at 1 - `LEVEL` finds with a power of 0.8, by prompts.

    Source: Cohen 1988, exact by the non-central distribution.

    Args:
        spread: standard deviation of the paired differences between prompts.
        counts: numbers of prompts, each at least 2.
    """
    return tuple(Detectable(n, spread * _detectable_shift(n) / float(np.sqrt(n))) for n in counts)


def _detectable_shift(n: int) -> float:
    """Non-centrality at which the test has its power; the square of t is a non-central F."""
    critical = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))

    def lacking(shift: float) -> float:
        return float(stats.ncf.sf(critical**2, 1, n - 1, shift**2)) - POWER

    return float(optimize.brentq(lacking, 0.0, 2.0 * critical))


def probability_of_improvement(better: Floats, worse: Floats, weights: Floats | None = None) -> Floats:
    """P(a value of `better` exceeds one of `worse`), ties counting half (Mann-Whitney, as rliable).

    Args:
        better: values per prompt of one method, larger is better, [a].
        worse: of the other, [b].
        weights: bootstrap counts of the same prompts, [replicates, n] with n = a = b; None: the estimate.

    Returns:
        one probability, or one per replicate.
    """
    wins = (better[:, None] > worse[None, :]) + 0.5 * (better[:, None] == worse[None, :])
    if weights is None:
        return np.asarray(wins.mean())
    shares = weights / weights.sum(axis=1, keepdims=True)
    found: Floats = np.einsum("ra,ab,rb->r", shares, wins, shares, optimize=True)
    return found


def rank_shares(replicates: Floats) -> Floats:
    """Share of bootstrap replicates in which each method has each rank.

    Args:
        replicates: of all methods on one metric, smaller is better, [methods, replicates].

    Returns:
        [methods, ranks]; rank 0 is the best. Rows and columns sum to one.
    """
    methods = len(replicates)
    ranks = np.argsort(np.argsort(replicates, axis=0, kind="stable"), axis=0, kind="stable")
    return np.stack([(ranks == rank).mean(axis=1) for rank in range(methods)], axis=1)


def hypervolume(x: Floats, y: Floats, reference: tuple[float, float]) -> float:
    """Area that points dominate below a reference point; both coordinates are better when smaller.

    Points beyond the reference dominate nothing. Source: Zitzler and Thiele 1999, in two dimensions a sort
    and a sum.
    """
    right, top = reference
    inside = np.isfinite(x) & np.isfinite(y) & (x < right) & (y < top)
    order = np.lexsort((y[inside], x[inside]))
    area, lowest = 0.0, top
    for left, height in zip(x[inside][order], y[inside][order], strict=True):
        if height < lowest:
            area += (right - left) * (lowest - height)
            lowest = height
    return float(area)


def hypervolume_interval(
    x: Floats, y: Floats, y_draws: Floats, reference: tuple[float, float]
) -> Interval | None:
    """Interval of a hypervolume whose second coordinate was resampled; the first is taken as measured.

    Args:
        x: smaller is better, [points].
        y: smaller is better, [points].
        y_draws: bootstrap replicates of y, paired over points, [points, replicates].
        reference: as in `hypervolume`.
    """
    draws = np.array([hypervolume(x, column, reference) for column in y_draws.T])
    return interval(hypervolume(x, y, reference), draws)
