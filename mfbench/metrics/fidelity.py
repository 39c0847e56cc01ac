"""Distances between the set of candidate clips and real clips, on the embeddings of `embedding`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mfbench.metrics.base import Double, EmbeddedClips, IntArray, Scores, SetMetric, once_per_observation
from mfbench.metrics.distances import MMD, ClipSets, Coverage, KernelReference, Moments, frechet_distance
from mfbench.registry import METRICS

Modality = Literal["video", "audio", "joint"]
Share = Literal["precision", "recall", "density", "coverage"]

_MMD_SCALE = 100.0  # as the Kernel Audio Distance prints it
_LIMIT_SIZES = 15
_LIMIT_LEAST_CLIPS = 32
_WINDOW_STEP = 5  # every 5th window of a clip: the ones between overlap with these


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
        if self.candidate.count[np.unique(clips)].sum() < 2 * self.candidate.total.shape[1]:
            return None
        return frechet_distance(*self.candidate.gaussian(clips), *self.reference)


@dataclass(frozen=True)
class LimitScores(FrechetScores):
    """Frechet distance extrapolated to infinitely many clips."""

    def value_of(self, clips: IntArray) -> float | None:
        """Intercept of a line in 1 / n through distances of subsamples of clips without replacement.

        Source: Chong and Forsyth 2020 (arXiv 1911.07023), here with clips as the unit.
        """
        sizes = np.unique(np.linspace(len(clips) / 4, len(clips), _LIMIT_SIZES).round().astype(np.int64))
        if len(clips) < _LIMIT_LEAST_CLIPS:
            return None
        by_content = clips[
            np.argsort(self.candidate.total[clips, 0], kind="stable")
        ]  # in whatever order given
        mixed = np.random.default_rng(len(clips))
        found = [super(LimitScores, self).value_of(mixed.permutation(by_content)[:size]) for size in sizes]
        if any(value is None for value in found):
            return None
        slope_and_limit = np.polyfit(1 / sizes, np.array(found, dtype=np.float64), 1)
        return float(slope_and_limit[1])


@dataclass(frozen=True)
class NeighbourScores(Scores):
    """Precision, recall, density or coverage of any resample."""

    coverage: Coverage
    which: Share

    def value_of(self, clips: IntArray) -> float | None:
        """A share of windows, or a density of them."""
        return getattr(self.coverage, self.which)(clips)  # type: ignore[no-any-return]


class _KernelDistance(SetMetric):
    """Unbiased squared MMD x 100, Gaussian kernel, median bandwidth of the reference; may be negative."""

    unit = "x100"
    higher_is_better = False
    modality: ClassVar[Modality]

    def set_scores(self, candidate: EmbeddedClips, reference: EmbeddedClips, prompt: IntArray) -> Scores:
        """Kernel matrices over clips."""
        kernel = _kernels(reference)[self.modality]
        return MMDScores(candidate.intact, MMD.between(getattr(candidate, self.modality), kernel, prompt))

    @staticmethod
    def self_test() -> None:
        """The same distribution is near zero, a shifted one is not."""
        rng = np.random.default_rng(0)
        draws = rng.standard_normal((3, 64, 2, 4)).astype(np.float32)
        reference = KernelReference.of(ClipSets.of(draws[0]))
        clips = np.arange(64)
        same = MMD.between(ClipSets.of(draws[1]), reference, clips).value(clips)
        moved = MMD.between(ClipSets.of(draws[2] + 1), reference, clips).value(clips)
        if same is None or moved is None or abs(same) > 0.03 or moved < 0.1:
            raise AssertionError(f"MMD of equal sets is {same}, wanted about 0; of shifted sets {moved}")


@once_per_observation
def _kernels(reference: EmbeddedClips) -> dict[Modality, KernelReference]:
    """The reference's side of every kernel distance."""
    real = reference.whole()
    return {
        "video": KernelReference.of(real.video),
        "audio": KernelReference.of(real.audio),
        "joint": KernelReference.of(real.joint),
    }


@METRICS.register_module(name="kavd_lite")
class KavdLite(_KernelDistance):
    """Kernel distance of video and sound together: the headline of quality."""

    name = "kavd_lite"
    null_by_shuffling = True
    modality = "joint"


@METRICS.register_module(name="kvd_lite")
class KvdLite(_KernelDistance):
    """Kernel distance of video alone."""

    name = "kvd_lite"
    modality = "video"
    needs = ("character", "reference")


@METRICS.register_module(name="kad_lite")
class KadLite(_KernelDistance):
    """Kernel distance of sound alone."""

    name = "kad_lite"
    modality = "audio"


@once_per_observation
def _gaussians(reference: EmbeddedClips) -> dict[Modality, tuple[Double, Double]]:
    """Mean and covariance of the reference's windows."""
    real = reference.whole()
    sets: dict[Modality, ClipSets] = {"video": real.video, "audio": real.audio, "joint": real.joint}
    return {name: Moments.of(part).gaussian(np.arange(part.clips)) for name, part in sets.items()}


class _Frechet(SetMetric):
    """Frechet distance on embeddings; biased upward by about 1/n, compare at equal n only."""

    higher_is_better = False
    least_clips = 128
    modality: ClassVar[Modality]
    resampled: ClassVar[type[FrechetScores]] = FrechetScores

    def set_scores(self, candidate: EmbeddedClips, reference: EmbeddedClips, prompt: IntArray) -> Scores:
        """Moments per clip."""
        del prompt
        moments = Moments.of(getattr(candidate, self.modality))
        return self.resampled(candidate.intact, moments, _gaussians(reference)[self.modality])

    @staticmethod
    def self_test() -> None:
        """Gaussians with commuting covariances have a closed form."""
        scales = np.array([1.0, 2.0, 3.0])
        found = frechet_distance(np.zeros(3), np.diag(scales**2), np.ones(3), np.eye(3))
        wanted = 3.0 + ((scales - 1) ** 2).sum()
        if abs(found - wanted) > 1e-9:
            raise AssertionError(f"Frechet distance of known Gaussians is {found}, wanted {wanted}")


class _FrechetLimit(_Frechet):
    """The same extrapolated to infinitely many clips, which takes the bias off."""

    resampled = LimitScores


@METRICS.register_module(name="favd_lite")
class FavdLite(_Frechet):
    """Frechet distance of video and sound together; biased upward by about 1/n, compare at equal n only."""

    name = "favd_lite"
    null_by_shuffling = True
    modality = "joint"


@METRICS.register_module(name="fvd_lite")
class FvdLite(_Frechet):
    """Frechet distance of video alone; biased upward by about 1/n, compare at equal n only."""

    name = "fvd_lite"
    modality = "video"
    needs = ("character", "reference")


@METRICS.register_module(name="fad_lite")
class FadLite(_Frechet):
    """Frechet distance of sound alone; biased upward by about 1/n, compare at equal n only."""

    name = "fad_lite"
    modality = "audio"


@METRICS.register_module(name="favd_lite_inf")
class FavdLiteInf(_FrechetLimit):
    """`favd_lite` extrapolated to infinitely many clips."""

    name = "favd_lite_inf"
    null_by_shuffling = True
    modality = "joint"


@METRICS.register_module(name="fvd_lite_inf")
class FvdLiteInf(_FrechetLimit):
    """`fvd_lite` extrapolated to infinitely many clips."""

    name = "fvd_lite_inf"
    modality = "video"
    needs = ("character", "reference")


@METRICS.register_module(name="fad_lite_inf")
class FadLiteInf(_FrechetLimit):
    """`fad_lite` extrapolated to infinitely many clips."""

    name = "fad_lite_inf"
    modality = "audio"


class _Neighbours(SetMetric):
    """Nearest neighbours of joint windows (5, as Kynkaanniemi et al. 2019)."""

    unit = "share"
    higher_is_better = True
    low, worst = 0.0, 0.0
    high: ClassVar[float | None] = 1.0
    which: ClassVar[Share]

    def set_scores(self, candidate: EmbeddedClips, reference: EmbeddedClips, prompt: IntArray) -> Scores:
        """Distances between windows."""
        del prompt
        points, real = (side.joint.thinned(_WINDOW_STEP) for side in (candidate, reference.whole()))
        return NeighbourScores(candidate.intact, Coverage.between(points, real), self.which)


@METRICS.register_module(name="prc_recall")
class PrcRecall(_Neighbours):
    """Share of real windows that lie among the candidate's (5 nearest neighbours): modes that are lost.

    It has no null: pairs that do not belong together lie further apart and so cover more.
    """

    name = "prc_recall"
    which = "recall"


@METRICS.register_module(name="prc_precision")
class PrcPrecision(_Neighbours):
    """Share of the candidate's windows that lie among real ones (5 nearest neighbours)."""

    name = "prc_precision"
    which = "precision"
    null_by_shuffling = True


@METRICS.register_module(name="prc_density")
class PrcDensity(_Neighbours):
    """How many neighbourhoods of real windows a candidate's window lies in, over 5: about 1 for real clips.

    More than 1 is possible where candidates crowd the thick of the real ones. A lonely real window, whose
    neighbourhood is wide, gives little here and everything to precision.
    Source: Naeem et al. 2020.
    """

    name = "prc_density"
    which = "density"
    unit = "ratio"
    high = None
    null_by_shuffling = True


@METRICS.register_module(name="prc_coverage")
class PrcCoverage(_Neighbours):
    """Share of real windows in whose neighbourhood (5 nearest) a candidate lies: modes that are lost.

    Source: Naeem et al. 2020. Unlike recall it is not raised by candidates that lie far apart.
    """

    name = "prc_coverage"
    which = "coverage"
    null_by_shuffling = True
