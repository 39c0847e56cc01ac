"""Distances between sets of clips as the field defines them: over all rows, whichever clip they are from.

`mfbench.metrics.distances` counts clips instead of rows and serves the weight-free metrics; the field's names
are kept for the field's formulas. Clips are put into an order of their own first, so that the order in which
they come changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.distances import frechet_distance

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]
IntArray = NDArray[np.int64]
Kernel = Callable[[Double, Double], Double]

_SIZES = 15
_BLOCK_ROWS = 1024  # kernel rows held at a time
_MEDIAN_ROWS = 3000  # reference rows whose pairs give the bandwidth
_SEED = 0


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The line FD(n) = intercept + slope / n through Frechet distances of smaller sets.

    Attributes:
        intercept: the distance of an endless set.
        slope: bias times clips.
        r2: share of the variance over n that the line explains.
        sizes: numbers of clips, [sizes].
        distances: at these sizes, [sizes].
    """

    intercept: float
    slope: float
    r2: float
    sizes: IntArray
    distances: Double


def frechet(candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
    """Frechet distance between Gaussians fitted to the rows of two sets of clips, [rows, dim] each.

    Source: Heusel et al. 2017, eq. 6; Unterthiner et al. 2018 for video. Covariances are unbiased.

    Raises:
        ValueError: if a set has fewer than 2 rows, or the widths differ.
    """
    return _frechet(_rows(candidate), _rows(reference))


def extrapolate(
    candidate: Sequence[FloatArray], reference: Sequence[FloatArray], *, seed: int = _SEED
) -> Extrapolation:
    """Frechet distance of an endless candidate set, from 15 sizes between a quarter and all of its clips.

    Whole clips are drawn without replacement, as rows of a clip depend on each other; the reference stays.

    Source: Chong and Forsyth 2020 (FID_inf), fitted by least squares.

    Raises:
        ValueError: if there are too few clips for 3 different sizes.
    """
    clips, other = canonical(candidate), _rows(reference)
    sizes = np.unique(np.linspace(len(clips) / 4, len(clips), _SIZES).round().astype(np.int64))
    sizes = sizes[sizes >= 2]
    if len(sizes) < 3:
        raise ValueError(f"{len(clips)} clips are too few to extrapolate from; give at least 4")
    generator = np.random.default_rng(seed)
    found = np.array(
        [_frechet(_rows([clips[i] for i in _draw(generator, len(clips), n)]), other) for n in sizes]
    )
    slope, intercept = np.polyfit(1 / sizes, found, 1)
    spread = float(((found - found.mean()) ** 2).sum())
    rest = float(((found - intercept - slope / sizes) ** 2).sum())
    r2 = 1 - rest / spread if spread > 0 else 1.0
    return Extrapolation(float(intercept), float(slope), r2, sizes, found)


def polynomial_mmd(candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
    """Unbiased MMD^2 with the kernel (x.y / dim + 1)^3 over all rows; may be negative.

    Source: Binkowski et al. 2018 (KID); one estimate from all rows instead of a mean over random subsets.
    """
    x, y = _rows(candidate), _rows(reference)
    return _mmd(x, y, lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3)


def gaussian_mmd(candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
    """Unbiased MMD^2 with a Gaussian kernel, as wide as reference rows are apart; may be negative.

    Not symmetric: the width is the median distance of reference rows.

    Source: Chung et al. 2025 (KAD), without its factor of 100.
    """
    x, y = _rows(candidate), _rows(reference)
    width = median_bandwidth(y)
    return _mmd(x, y, lambda a, b: np.exp(-_squared(a, b) / (2 * width**2)))


def median_bandwidth(rows: Double) -> float:
    """Median distance between different rows, [rows, dim]; evenly thinned above 3000 rows.

    Raises:
        ValueError: if all rows are the same.
    """
    some = rows[:: -(-len(rows) // _MEDIAN_ROWS)]
    distances = np.sqrt(_squared(some, some))[np.triu_indices(len(some), 1)]
    width = float(np.median(distances))
    if width <= 0:
        raise ValueError(f"the median distance of {len(rows)} reference rows is {width}; they do not differ")
    return width


def canonical(clips: Sequence[FloatArray]) -> list[FloatArray]:
    """The clips in an order that depends on their content alone."""
    return sorted(clips, key=lambda clip: hashlib.sha256(np.ascontiguousarray(clip).tobytes()).digest())


def _rows(clips: Sequence[FloatArray]) -> Double:
    rows = np.concatenate(canonical(clips)).astype(np.float64) if clips else np.zeros((0, 0))
    if len(rows) < 2:
        raise ValueError(f"{len(clips)} clips give {len(rows)} rows of features; wanted at least 2")
    return rows


def _draw(generator: np.random.Generator, clips: int, size: int) -> IntArray:
    return generator.permutation(clips)[:size]


def _frechet(x: Double, y: Double) -> float:
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"features of {x.shape[1]} and {y.shape[1]} values come from different models")
    return frechet_distance(x.mean(0), _covariance(x), y.mean(0), _covariance(y))


def _covariance(rows: Double) -> Double:
    return np.atleast_2d(np.cov(rows.T))


def _mmd(x: Double, y: Double, kernel: Kernel) -> float:
    """Gretton et al. 2012, eq. 3, over pairs of different rows."""
    across = _sum(x, y, kernel) / (len(x) * len(y))
    return _within(x, kernel) + _within(y, kernel) - 2 * across


def _within(x: Double, kernel: Kernel) -> float:
    own = sum(float(kernel(row[None], row[None])[0, 0]) for row in x)
    return (_sum(x, x, kernel) - own) / (len(x) * (len(x) - 1))


def _sum(x: Double, y: Double, kernel: Kernel) -> float:
    blocks = range(0, len(x), _BLOCK_ROWS)
    return float(sum(kernel(x[start : start + _BLOCK_ROWS], y).sum() for start in blocks))


def _squared(x: Double, y: Double) -> Double:
    cross = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2 * x @ y.T
    return np.asarray(np.maximum(cross, 0))
