"""Drift of whole pictures over a long rollout: their colours, their texture, what is behind the character.

Slopes of the distance from the first window, per 10 s; the best value is the real row's. All start from
tracks that hold every 4th frame, so no picture is kept.
"""

from __future__ import annotations

import numpy as np

from mfbench.metrics.base import FloatArray, Metric, Prompts, Scores
from mfbench.metrics.colour_histogram import histogram_distance
from mfbench.metrics.drift import drift_scores, windowed
from mfbench.metrics.drift_signals import SignalDrift
from mfbench.metrics.observe import Observation
from mfbench.metrics.picture_signals import EVERY
from mfbench.registry import METRICS


def _checked_rate_hz(observation: Observation) -> float:
    """Of tracks that hold every 4th frame."""
    return observation.frame_rate_hz / EVERY


@METRICS.register_module(name="drift_hist")
class DriftHistogram(Metric):
    """Growth of the Wasserstein distance of the histograms of L*, a* and b* from those of the first window.

    Sees every change of the colours of a picture, also one that leaves brightness, contrast and saturation as
    they are; where things stand in the picture does not matter to it. The distance is the mean of the three.
    """

    name = "drift_hist"
    unit = "Lab units/10 s"
    higher_is_better = None
    needs = ()
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        shares = windowed(candidate.picture.lab_histogram, _checked_rate_hz(candidate))
        means = shares.mean(2, dtype=np.float64)
        return drift_scores(histogram_distance(means[:, 1:], means[:, :1]), candidate)

    @staticmethod
    def self_test() -> None:
        """All pixels one node further on one of three axes: a third of its step."""
        one, other = np.zeros((3, 49)), np.zeros((3, 49))
        one[:, 7] = other[1:, 7] = other[0, 8] = 1.0
        found = float(histogram_distance(one, other))
        if abs(found - 100 / 48 / 3) > 1e-6:
            raise AssertionError(f"histograms a step apart on one axis have the distance {found}")


@METRICS.register_module(name="drift_hf_energy")
class DriftDetail(SignalDrift):
    """Growth of the difference in the share of fine detail in the power spectrum from the first window.

    `drift_sharpness` is moved by contrast too; this is not. Blur and hardened texture are both drift. Frames
    without any texture have no spectrum and are left out.
    """

    name = "drift_hf_energy"
    unit = "dB/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Share in dB, nan where a frame is flat."""
        return observation.picture.detail_db, _checked_rate_hz(observation)


@METRICS.register_module(name="drift_bg")
class DriftBackground(Metric):
    """Growth of the change of the background, place by place, from the first window.

    Twelve cells in the corners of the picture, which no legal pose of the character reaches; the distance is
    the mean absolute difference of their mean colours. `drift_colour` averages over the two upper corners and
    mixes them with shirt, hair and skin: what appears, fades or slides in one place behind the character, and
    what happens to the character alone, shows in this one and in that one respectively.
    """

    name = "drift_bg"
    unit = "grey levels/10 s"
    higher_is_better = None
    needs = ("character",)
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        cells = windowed(candidate.picture.corners, _checked_rate_hz(candidate)).mean(2, dtype=np.float64)
        return drift_scores(np.abs(cells[:, 1:] - cells[:, :1]).mean((2, 3)), candidate)
