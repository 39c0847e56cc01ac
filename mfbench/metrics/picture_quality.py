"""What pictures look like, whatever they show; the best value of most is that of the real row."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mfbench.metrics.base import FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

FROZEN = 0.25  # grey levels; a codec leaves less than this between equal frames
FROZEN_S = 0.2  # a shorter standstill is a lower frame rate


class _FrameMean(Metric):
    """Mean over frames of one of `PictureSignals`."""

    needs: ClassVar[tuple[str, ...]] = ()
    signal: ClassVar[str]

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip."""
        del reference, prompts
        return MeanScores.of(getattr(candidate.picture, self.signal).mean(1), candidate.intact)


@METRICS.register_module(name="sharpness")
class Sharpness(_FrameMean):
    """Log mean squared Laplacian of the brightness: low is blur, high is noise or hardened texture."""

    name = "sharpness"
    signal = "sharpness"


@METRICS.register_module(name="colorfulness")
class Colorfulness(_FrameMean):
    """Hasler and Suesstrunk's measure: low is grey, high is over-saturated."""

    name = "colorfulness"
    unit = "grey levels"
    low = 0.0
    signal = "colourfulness"


@METRICS.register_module(name="clip_frac")
class ClippedPixels(_FrameMean):
    """Share of colour values at 0 or 255: over- and under-exposure."""

    name = "clip_frac"
    unit = "share"
    low, high = 0.0, 1.0
    signal = "clipped"


@METRICS.register_module(name="noise_sigma")
class NoiseSigma(_FrameMean):
    """Spread of pixel noise (Immerkaer 1996), fine texture included."""

    name = "noise_sigma"
    unit = "grey levels"
    low = 0.0
    signal = "noise"


@METRICS.register_module(name="blockiness")
class Blockiness(_FrameMean):
    """Step across borders of 8 x 8 blocks over the step inside them, minus 1: traces of a codec."""

    name = "blockiness"
    low = -1.0
    signal = "blockiness"


@METRICS.register_module(name="temporal_flicker")
class TemporalFlicker(Metric):
    """(255 - mean absolute change between frames) / 255; a still picture has 1, so read it with motion."""

    name = "temporal_flicker"
    low, high = 0.0, 1.0
    needs = ()

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean over pairs of frames."""
        del reference, prompts
        return MeanScores.of(1 - candidate.picture.change.mean(1) / 255, candidate.intact)


@METRICS.register_module(name="warp_error_lite")
class WarpError(_FrameMean):
    """Brightness error between frames that motion compensation leaves; a still picture has 0.

    Noise, flicker and texture that swims are what it sees, but mouths that open and motion faster than a
    pixel per frame count too: compare it with the real row at the same size and rate, and read it with
    `motion_magnitude`.
    Source: the warping error of Lai et al. 2018, with `warp.warp_error` in the place of a network.
    """

    name = "warp_error_lite"
    unit = "grey levels"
    higher_is_better = False
    low, high, worst = 0.0, 255.0, 255.0
    signal = "warp"


@METRICS.register_module(name="freeze_frac")
class FreezeFraction(Metric):
    """Share of the time in which nothing changes for at least 0.2 s."""

    name = "freeze_frac"
    unit = "share"
    higher_is_better = False
    low, high, worst = 0.0, 1.0, 1.0
    needs = ()

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share of pairs of frames in a standstill."""
        del reference, prompts
        return MeanScores.of(
            standstill(candidate.picture.change, candidate.frame_rate_hz).mean(1), candidate.intact
        )

    @staticmethod
    def self_test() -> None:
        """A second's standstill in two seconds is half of them."""
        change = np.r_[np.full(25, 5.0), np.zeros(25)].astype(np.float32)[None]
        found = float(standstill(change, 25.0).mean())
        if abs(found - 0.5) > 1e-6:
            raise AssertionError(f"a standstill of half the time reads as {found}")


def standstill(change: FloatArray, frame_rate_hz: float) -> FloatArray:
    """Which of the changes [clips, frames - 1] lie in a run of unchanged frames of 0.2 s and more."""
    still = change < FROZEN
    least = max(1, int(np.ceil(FROZEN_S * frame_rate_hz)))
    found = np.zeros_like(still)
    for clip, row in enumerate(still):
        edges = np.flatnonzero(np.diff(np.r_[0, row.astype(np.int8), 0]))
        for start, end in edges.reshape(-1, 2):
            if end - start >= least:
                found[clip, start:end] = True
    return found.astype(np.float32)
