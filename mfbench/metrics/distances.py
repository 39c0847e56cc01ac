"""Distances between sets of clips: unbiased MMD, Frechet distance, nearest neighbours.

A clip gives several points (its windows), which depend on each other, and prompts sampled several times give
clips that do. The unit is therefore the clip, and pairs of the same prompt count nowhere as independent;
bootstrap resampling of clips then needs no new kernel values, only other rows of small matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MEDIAN_ROWS = 1500
_NEIGHBOURS = 5
_BLOCK_VALUES = 2**22  # of a kernel held at a time, 16 MB


@dataclass(frozen=True, eq=False)
class ClipSets:
    """Points of clips, any number per clip.

    Attributes:
        points: of all clips one after another, [points, values].
        first: index of every clip's first point, and the number of points at the end, [clips + 1].
    """

    points: FloatArray
    first: IntArray

    @classmethod
    def of(cls, clips: FloatArray | Sequence[FloatArray]) -> ClipSets:
        """From [clips, windows, values], or from one array [windows, values] per clip."""
        counts = [len(clip) for clip in clips]
        if not counts or min(counts) == 0:
            raise ValueError(f"{len(counts)} clips with {sum(counts)} points; every clip needs at least one")
        return cls(np.concatenate(list(clips)), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.first) - 1

    @property
    def counts(self) -> IntArray:
        """Points per clip."""
        return np.diff(self.first)

    @property
    def owner(self) -> IntArray:
        """Clip of every point."""
        return np.repeat(np.arange(self.clips), self.counts)

    def select(self, clips: IntArray) -> ClipSets:
        """Only these clips, in this order."""
        return ClipSets.of([self.points[self.first[i] : self.first[i + 1]] for i in clips])

    def thinned(self, step: int) -> ClipSets:
        """Every `step`-th point of each clip, beginning with its first."""
        return ClipSets.of([self.points[a:b:step] for a, b in zip(self.first, self.first[1:], strict=False)])


def median_distance(sets: ClipSets) -> float:
    """Median distance between points of different clips."""
    stride = max(1, len(sets.points) // _MEDIAN_ROWS)
    rows, owner = sets.points[::stride], sets.owner[::stride]
    distances = np.sqrt(squared_distances(rows, rows))
    return float(np.median(distances[owner[:, None] != owner[None]]))


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Squared Euclidean distances of rows, [len(a), len(b)]."""
    cross = a @ b.T
    cross *= -2
    cross += (a * a).sum(1)[:, None]
    cross += (b * b).sum(1)[None]
    return np.asarray(np.maximum(cross, 0, out=cross), dtype=np.float32)


def clip_kernel(a: ClipSets, b: ClipSets, bandwidth: float) -> Double:
    """Mean Gaussian kernel exp(-d^2 / (2 bandwidth^2)) over the points of two clips, [clips a, clips b].

    Some clips at a time: memory does not grow with the product of the points.
    """
    sums = np.empty((a.clips, b.clips))
    step = max(1, int(_BLOCK_VALUES // (max(1, a.counts.max()) * len(b.points))))  # clips of a block
    for start in range(0, a.clips, step):
        first = a.first[start : start + step + 1]
        values = squared_distances(a.points[first[0] : first[-1]], b.points)
        values *= np.float32(-0.5 / bandwidth**2)
        np.exp(values, out=values)
        by_clip = np.add.reduceat(values, b.first[:-1], axis=1, dtype=np.float64)
        sums[start : start + step] = np.add.reduceat(by_clip, first[:-1] - first[0], axis=0)
    return np.asarray(sums / np.outer(a.counts, b.counts))


@dataclass(frozen=True)
class KernelReference:
    """The reference side of an MMD, computed once for all candidates.

    Attributes:
        sets: the reference clips.
        bandwidth: median distance in the reference.
        within: mean kernel over pairs of different reference clips.
    """

    sets: ClipSets
    bandwidth: float
    within: float

    @classmethod
    def of(cls, sets: ClipSets) -> KernelReference:
        """Median bandwidth and the reference's own mean kernel."""
        if sets.clips < 2:
            raise ValueError(f"a reference of {sets.clips} clips has no pairs; give at least 2")
        bandwidth = median_distance(sets)
        kernel = clip_kernel(sets, sets, bandwidth)
        within = (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
        return cls(sets, bandwidth, float(within))


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
    def between(cls, candidate: ClipSets, reference: KernelReference, prompt: IntArray) -> MMD:
        """Kernel matrices of candidate clips."""
        return cls(
            within=clip_kernel(candidate, candidate, reference.bandwidth),
            across=clip_kernel(candidate, reference.sets, reference.bandwidth).mean(1),
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
    """Sums of points per clip, from which the mean and covariance of any resample follow.

    Attributes:
        count: points per clip, [clips].
        total: [clips, values].
        square: sum of outer products, [clips, values, values].
    """

    count: IntArray
    total: Double
    square: Double

    @classmethod
    def of(cls, sets: ClipSets) -> Moments:
        """Sums of every clip's points."""
        values = sets.points.astype(np.float64)
        parts = [values[a:b] for a, b in zip(sets.first, sets.first[1:], strict=False)]
        squares = np.stack([part.T @ part for part in parts])
        return cls(sets.counts, np.add.reduceat(values, sets.first[:-1], axis=0), squares)

    def gaussian(self, clips: IntArray) -> tuple[Double, Double]:
        """Mean and unbiased covariance of the points of a (re)sample of clips."""
        n = int(self.count[clips].sum())
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
    """Precision, recall, density and coverage by nearest neighbours.

    Source: Kynkaanniemi et al. 2019, eq. 2; Naeem et al. 2020. Neighbours of the same clip are not counted:
    they are near because they overlap in time, and a bootstrap sample repeats clips.

    Attributes:
        within: distances between candidate points, [points, points].
        across: distances from reference to candidate points, [reference points, points].
        owner: clip of every candidate point.
        radius: distance of every reference point to its 5th neighbour, [reference points]; None if too few.
    """

    within: FloatArray
    across: FloatArray
    owner: IntArray
    radius: FloatArray | None

    @classmethod
    def between(cls, candidate: ClipSets, reference: ClipSets) -> Coverage:
        """Distances of and between candidate and reference points."""
        within = squared_distances(candidate.points, candidate.points)
        across = squared_distances(reference.points, candidate.points)
        own = squared_distances(reference.points, reference.points)
        return cls(within, across, candidate.owner, _radius(own, reference.owner))

    def recall(self, clips: IntArray) -> float | None:
        """Share of reference points inside a candidate's ball to its 5th neighbour; `None` if too few."""
        chosen = np.isin(self.owner, clips)  # a clip drawn twice covers what it covers once
        radius = _radius(self.within[np.ix_(chosen, chosen)], self.owner[chosen])
        return None if radius is None else float((self.across[:, chosen] <= radius).any(1).mean())

    def precision(self, clips: IntArray) -> float | None:
        """Share of candidate points inside a reference point's ball; `None` if the reference is too small."""
        if self.radius is None:
            return None
        covered = (self.across <= self.radius[:, None]).any(0)
        share = np.bincount(self.owner, covered) / np.bincount(self.owner)
        return float(share[clips].mean())

    def density(self, clips: IntArray) -> float | None:
        """Reference points' balls per candidate point over 5; `None` if the reference is too small."""
        if self.radius is None:
            return None
        balls = (self.across <= self.radius[:, None]).sum(0)
        mean = np.bincount(self.owner, balls) / np.bincount(self.owner)
        return float(mean[clips].mean() / _NEIGHBOURS)

    def coverage(self, clips: IntArray) -> float | None:
        """Share of reference points with a candidate in their ball; `None` if the reference is too small."""
        if self.radius is None:
            return None
        chosen = np.isin(self.owner, clips)
        return float((self.across[:, chosen] <= self.radius[:, None]).any(1).mean())


def _radius(distances: FloatArray, owner: IntArray) -> FloatArray | None:
    """Distance of every point to its 5th neighbour in other clips."""
    others = np.where(owner[:, None] == owner[None], np.float32(np.inf), distances)
    if not len(owner) or np.isfinite(others).sum(1).min() < _NEIGHBOURS:
        return None
    return np.asarray(np.partition(others, _NEIGHBOURS - 1, axis=1)[:, _NEIGHBOURS - 1])
