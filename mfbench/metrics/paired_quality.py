"""How near a clip is to the true clip that it reconstructs.

Only a reconstruction, or a clip generated under teacher forcing, has such a true clip. In a run clips are
drawn freely from a condition that many clips fulfil, so these are not applicable there; what the codecs of a
run lose is told by the floors of its judges. In a scored folder the column `target` of a manifest names the
true film.
"""

from __future__ import annotations

import numpy as np

from mfbench.metrics.base import Double, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.observe import Observation
from mfbench.metrics.pair_signals import PairSignals, psnr_db
from mfbench.registry import METRICS

MOST_DB = 100.0


def _scores(observation: Observation, values: Double | None) -> Scores:
    """Of clips [clips]; not applicable to any where none has a true clip."""
    found = np.full(observation.clips, np.nan) if values is None else values
    return MeanScores.of(found, observation.intact)


@METRICS.register_module(name="psnr")
class PSNR(Metric):
    """Peak signal-to-noise ratio of a clip against its true clip; equal clips have 100 dB.

    From the mean squared error over all pixels, colours and frames of a clip, so that one equal frame does
    not outweigh the others, on the grid that films are read at (64 x 64 pixels, 25 frames per second in a
    scored folder). Equal clips would have infinity, which no mean survives: no clip has more than 100 dB.
    """

    name = "psnr"
    unit = "dB"
    higher_is_better = True
    low, high, worst = 0.0, 100.0, 0.0
    needs = ("paired",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip."""
        del reference, prompts
        pair: PairSignals | None = candidate.paired
        return _scores(candidate, None if pair is None else psnr_db(pair.squared_error.mean(1), MOST_DB))

    @staticmethod
    def self_test() -> None:
        """An error of 255 everywhere has 0 dB, one of 25.5 has 20 dB, none has the most."""
        found = psnr_db(np.array([255.0**2, 25.5**2, 0.0]), MOST_DB)
        if not np.allclose(found, [0.0, 20.0, MOST_DB]):
            raise AssertionError(f"errors of 255, 25.5 and 0 grey levels have {found} dB")


@METRICS.register_module(name="ssim")
class SSIM(Metric):
    """Structural similarity of a clip's brightness to that of its true clip; 1 = equal.

    Source: Wang et al. 2004, with the authors' window; on the grid that films are read at (64 x 64 pixels, 25
    frames per second in a scored folder), which makes it no match for values at other sizes.
    """

    name = "ssim"
    higher_is_better = True
    low, high, worst = -1.0, 1.0, 0.0
    needs = ("paired",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean over the frames of a clip."""
        del reference, prompts
        pair: PairSignals | None = candidate.paired
        return _scores(candidate, None if pair is None else pair.ssim.mean(1))


@METRICS.register_module(name="msssim")
class MultiScaleSSIM(Metric):
    """Structural similarity of a clip's brightness to that of its true clip over several scales; 1 = equal.

    Source: Wang et al. 2003, with the published exponents; `msssim` of `pair_signals` says which scales.
    """

    name = "msssim"
    higher_is_better = True
    low, high, worst = 0.0, 1.0, 0.0
    needs = ("paired",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean over the frames of a clip."""
        del reference, prompts
        pair: PairSignals | None = candidate.paired
        return _scores(candidate, None if pair is None else pair.msssim.mean(1))


@METRICS.register_module(name="mouth_mae")
class MouthError(Metric):
    """Mean absolute difference of the mouth opening from that of the true clip, in shares of its range.

    Both openings are read from pixels by the same reader, so that what it misreads in both alike cancels.
    """

    name = "mouth_mae"
    unit = "share"
    higher_is_better = False
    low, high, worst = 0.0, 1.0, 1.0
    needs = ("character", "paired")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean over the frames of a clip."""
        del reference, prompts
        pair: PairSignals | None = candidate.paired
        return _scores(candidate, None if pair is None else pair.mouth.mean(1, dtype=np.float64))
