"""Distances between sets of clips: unbiased MMD, Frechet distance, precision and recall.

A clip gives several windows, which depend on each other, and prompts sampled several times give clips that
do. The unit is therefore the clip, and pairs of the same prompt count nowhere as independent; bootstrap
resampling of clips then needs no new kernel values, only other rows of small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MEDIAN_ROWS = 1500
_NEIGHBOURS = 5


def median_distance(points: FloatArray) -> float:
    """Median distance between the windows of different clips, points [clips, windows, values]."""
    clips, windows = points.shape[:2]
    stride = max(1, clips * windows // _MEDIAN_ROWS)
    rows = points.reshape(clips * windows, -1)[::stride]
    owner = np.repeat(np.arange(clips), windows)[::stride]
    distances = np.sqrt(squared_distances(rows, rows))
    return float(np.median(distances[owner[:, None] != owner[None]]))


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Squared Euclidean distances of rows, [len(a), len(b)]."""
    cross = a @ b.T
    cross *= -2
    cross += (a * a).sum(1)[:, None]
    cross += (b * b).sum(1)[None]
    return np.asarray(np.maximum(cross, 0, out=cross), dtype=np.float32)


def clip_kernel(a: FloatArray, b: FloatArray, bandwidth: float) -> Double:
    """Mean Gaussian kernel exp(-d^2 / (2 bandwidth^2)) over the windows of two clips, [clips a, clips b]."""
    values = squared_distances(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]))
    values *= np.float32(-0.5 / bandwidth**2)
    np.exp(values, out=values)
    blocks = values.reshape(len(a), a.shape[1], len(b), b.shape[1])
    return np.asarray(blocks.mean((1, 3), dtype=np.float64))


@dataclass(frozen=True)
class KernelReference:
    """The reference side of an MMD, computed once for all candidates.

    Attributes:
        points: [clips, windows, values].
        bandwidth: median distance in the reference.
        within: mean kernel over pairs of different reference clips.
    """

    points: FloatArray
    bandwidth: float
    within: float

    @classmethod
    def of(cls, points: FloatArray) -> KernelReference:
        """Median bandwidth and the reference's own mean kernel, points [clips, windows, values]."""
        if len(points) < 2:
            raise ValueError(f"a reference of {len(points)} clips has no pairs; give at least 2")
        bandwidth = median_distance(points)
        kernel = clip_kernel(points, points, bandwidth)
        within = (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
        return cls(points, bandwidth, float(within))


@dataclass(frozen=True)
class MMD:
    """Unbiased squared maximum mean discrepancy between candidate clips and a reference.

    Source: Gretton et al. 2012, eq. 3, with the median bandwidth of the reference as in the Kernel Audio
    Distance (Chung et al. 2025). May be negative.

    Attributes:
        within: kernel between candidate clips, [clips, clips].
        across: mean kernel of every candidate clip with the reference, [clips].
        reference: mean kernel of the reference.
        prompt: prompt of every candidate clip, [clips].
    """

    within: Double
    across: Double
    reference: float
    prompt: IntArray

    @classmethod
    def between(cls, points: FloatArray, reference: KernelReference, prompt: IntArray) -> MMD:
        """Kernel matrices of candidate points [clips, windows, values]."""
        return cls(
            within=clip_kernel(points, points, reference.bandwidth),
            across=clip_kernel(points, reference.points, reference.bandwidth).mean(1),
            reference=reference.within,
            prompt=prompt,
        )

    def value(self, clips: IntArray) -> float | None:
        """MMD^2 of a (re)sample of clips; `None` below two different prompts."""
        prompt = self.prompt[clips]
        different = prompt[:, None] != prompt[None]
        pairs = int(different.sum())
        if pairs == 0:
            return None
        within = self.within[np.ix_(clips, clips)][different].sum() / pairs
        return float(within + self.reference - 2 * self.across[clips].mean())


@dataclass(frozen=True)
class Moments:
    """Sums of windows per clip, from which the mean and covariance of any resample follow.

    Attributes:
        count: windows per clip.
        total: [clips, values].
        square: sum of outer products, [clips, values, values].
    """

    count: int
    total: Double
    square: Double

    @classmethod
    def of(cls, points: FloatArray) -> Moments:
        """Points [clips, windows, values]."""
        values = points.astype(np.float64)
        return cls(points.shape[1], values.sum(1), np.einsum("cwi,cwj->cij", values, values))

    def gaussian(self, clips: IntArray) -> tuple[Double, Double]:
        """Mean and unbiased covariance of the windows of a (re)sample of clips."""
        n = self.count * len(clips)
        mean = self.total[clips].sum(0) / n
        weight = np.bincount(clips, minlength=len(self.total)).astype(np.float64)
        square = np.tensordot(weight, self.square, 1)
        return mean, (square - n * np.outer(mean, mean)) / (n - 1)


def frechet_distance(mean_a: Double, cov_a: Double, mean_b: Double, cov_b: Double) -> float:
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)).

    By two symmetric eigendecompositions: a general matrix square root of a nearly singular product returns
    complex or negative results.

    Source: Dowson and Landau 1982.
    """
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ cov_b @ root)
    cross = np.sqrt(np.maximum(product, 0)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


@dataclass(frozen=True)
class Coverage:
    """Precision and recall by nearest neighbours.

    Source: Kynkaanniemi et al. 2019, eq. 2. Neighbours of the same clip are not counted: they are near
    because they overlap in time, and a bootstrap sample repeats clips.

    Attributes:
        within: distances between candidate points, [points, points].
        across: distances from reference to candidate points, [reference points, points].
        owner: clip of every candidate point.
    """

    within: FloatArray
    across: FloatArray
    owner: IntArray

    @classmethod
    def between(cls, points: FloatArray, reference: FloatArray) -> Coverage:
        """Points [clips, windows, values] of candidate and reference."""
        flat, other = points.reshape(-1, points.shape[-1]), reference.reshape(-1, points.shape[-1])
        owner = np.repeat(np.arange(len(points)), points.shape[1])
        return cls(squared_distances(flat, flat), squared_distances(other, flat), owner)

    def recall(self, clips: IntArray) -> float | None:
        """Share of reference points inside a candidate's ball to its 5th neighbour; `None` if too few."""
        chosen = np.isin(self.owner, clips)  # a clip drawn twice covers what it covers once
        owner = self.owner[chosen]
        distances = self.within[np.ix_(chosen, chosen)].copy()
        distances[owner[:, None] == owner[None]] = np.inf
        if not len(owner) or np.isfinite(distances).sum(1).min() < _NEIGHBOURS:
            return None
        radius = np.partition(distances, _NEIGHBOURS - 1, axis=1)[:, _NEIGHBOURS - 1]
        return float((self.across[:, chosen] <= radius).any(1).mean())
