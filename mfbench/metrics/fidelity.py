"""Distances between the set of candidate clips and real clips, on the embeddings of `embedding`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from mfbench.metrics.base import Double, FloatArray, IntArray, Metric, Prompts, Scores, once_per_observation
from mfbench.metrics.distances import MMD, Coverage, KernelReference, Moments, frechet_distance
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

_MMD_SCALE = 100.0  # as the Kernel Audio Distance prints it
_RECALL_WINDOW_STEP = 5  # every 5th window of a clip: the ones between overlap with these


@dataclass(frozen=True)
class MMDScores(Scores):
    """Unbiased MMD^2 of any resample."""

    mmd: MMD

    def value_of(self, clips: IntArray) -> float | None:
        """MMD^2 x 100."""
        found = self.mmd.value(clips)
        return None if found is None else _MMD_SCALE * found


@dataclass(frozen=True)
class FrechetScores(Scores):
    """Frechet distance of any resample."""

    candidate: Moments
    reference: tuple[Double, Double]

    def value_of(self, clips: IntArray) -> float | None:
        """`None` where there are fewer windows than twice the values: the covariance would be noise."""
        if self.candidate.count * len(np.unique(clips)) < 2 * self.candidate.total.shape[1]:
            return None
        return frechet_distance(*self.candidate.gaussian(clips), *self.reference)


@dataclass(frozen=True)
class RecallScores(Scores):
    """Recall of any resample."""

    coverage: Coverage

    def value_of(self, clips: IntArray) -> float | None:
        """Share of real windows that lie among the candidate's."""
        return self.coverage.recall(clips)


class _KernelDistance(Metric):
    """Unbiased squared MMD x 100, Gaussian kernel, median bandwidth of the reference; may be negative."""

    unit = "x100"
    higher_is_better = False

    @staticmethod
    @abstractmethod
    def points(observation: Observation) -> FloatArray:
        """Embeddings [clips, windows, values]."""

    @staticmethod
    @abstractmethod
    def reference_kernel(observation: Observation) -> KernelReference:
        """The reference's side, computed once."""

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Kernel matrices over clips."""
        kernel = self.reference_kernel(reference)
        return MMDScores(candidate.intact, MMD.between(self.points(candidate), kernel, prompts.prompt))

    @staticmethod
    def self_test() -> None:
        """The same distribution is near zero, a shifted one is not."""
        rng = np.random.default_rng(0)
        draws = rng.standard_normal((3, 64, 2, 4)).astype(np.float32)
        reference = KernelReference.of(draws[0])
        clips = np.arange(64)
        same = MMD.between(draws[1], reference, clips).value(clips)
        moved = MMD.between(draws[2] + 1, reference, clips).value(clips)
        if same is None or moved is None or abs(same) > 0.03 or moved < 0.1:
            raise AssertionError(f"MMD of equal sets is {same}, wanted about 0; of shifted sets {moved}")


@METRICS.register_module(name="kavd_lite")
class KavdLite(_KernelDistance):
    """Kernel distance of video and sound together: the headline of quality."""

    name = "kavd_lite"
    null_by_shuffling = True

    @staticmethod
    def points(observation: Observation) -> FloatArray:
        """Joint embeddings."""
        return observation.windows.joint

    @staticmethod
    @once_per_observation
    def reference_kernel(observation: Observation) -> KernelReference:
        """Of the joint embeddings."""
        return KernelReference.of(observation.windows.joint[observation.intact])


@METRICS.register_module(name="kvd_lite")
class KvdLite(_KernelDistance):
    """Kernel distance of video alone."""

    name = "kvd_lite"

    @staticmethod
    def points(observation: Observation) -> FloatArray:
        """Video embeddings."""
        return observation.windows.video

    @staticmethod
    @once_per_observation
    def reference_kernel(observation: Observation) -> KernelReference:
        """Of the video embeddings."""
        return KernelReference.of(observation.windows.video[observation.intact])


@METRICS.register_module(name="kad_lite")
class KadLite(_KernelDistance):
    """Kernel distance of sound alone."""

    name = "kad_lite"

    @staticmethod
    def points(observation: Observation) -> FloatArray:
        """Audio embeddings."""
        return observation.windows.audio

    @staticmethod
    @once_per_observation
    def reference_kernel(observation: Observation) -> KernelReference:
        """Of the audio embeddings."""
        return KernelReference.of(observation.windows.audio[observation.intact])


@once_per_observation
def _reference_gaussian(observation: Observation) -> tuple[Double, Double]:
    joint = observation.windows.joint[observation.intact]
    return Moments.of(joint).gaussian(np.arange(len(joint)))


@METRICS.register_module(name="favd_lite")
class FavdLite(Metric):
    """Frechet distance of video and sound together; biased upward by about 1/n, compare at equal n only."""

    name = "favd_lite"
    higher_is_better = False
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Moments per clip."""
        del prompts
        joint = candidate.windows.joint
        return FrechetScores(candidate.intact, Moments.of(joint), _reference_gaussian(reference))

    @staticmethod
    def self_test() -> None:
        """Gaussians with commuting covariances have a closed form."""
        scales = np.array([1.0, 2.0, 3.0])
        found = frechet_distance(np.zeros(3), np.diag(scales**2), np.ones(3), np.eye(3))
        wanted = 3.0 + ((scales - 1) ** 2).sum()
        if abs(found - wanted) > 1e-9:
            raise AssertionError(f"Frechet distance of known Gaussians is {found}, wanted {wanted}")


@METRICS.register_module(name="prc_recall")
class PrcRecall(Metric):
    """Share of real windows that lie among the candidate's (5 nearest neighbours): modes that are lost.

    It has no null: pairs that do not belong together lie further apart and so cover more.
    """

    name = "prc_recall"
    unit = "share"
    higher_is_better = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Distances between windows."""
        del prompts
        points = candidate.windows.joint[:, ::_RECALL_WINDOW_STEP]
        real = reference.windows.joint[reference.intact, ::_RECALL_WINDOW_STEP]
        return RecallScores(candidate.intact, Coverage.between(points, real))
