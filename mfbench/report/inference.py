"""Tests, ranks and fronts on top of `statistics`: detectable effects, who is best how surely."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy import stats

from mfbench.report.statistics import LEVEL, Floats

NORMAL = NormalDist()
POWER = 0.8


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

    @property
    def minimum_detectable(self) -> float:
        """Effect that a two-sided test at 1 - `LEVEL` finds with a power of 0.8."""
        return (NORMAL.inv_cdf((1 + LEVEL) / 2) + NORMAL.inv_cdf(POWER)) * self.error


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
