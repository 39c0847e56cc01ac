"""Whether a film still looks like itself after a while: likeness of frames over the time between them."""

from __future__ import annotations

import numpy as np

from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

LAGS = (2, 5, 10, 20, 50, 100)  # frames
LAG_RATE_HZ = 25.0  # of the frames that are meant; at other rates the same times are taken
LEAST_PAIRS = 4


def likeness_over_lags(looks: FloatArray, lags: list[int]) -> Double:
    """Mean cosine of embeddings [clips, frames, values] of frames so far apart, [clips, lags]."""
    norm = np.linalg.norm(looks, axis=-1, keepdims=True)
    unit = looks / np.maximum(norm, np.float32(1e-9))
    means = [(unit[:, lag:] * unit[:, :-lag]).sum(-1).mean(1, dtype=np.float64) for lag in lags]
    return np.stack(means, axis=1)


def mean_over_log(values: Double, at: Double) -> Double:
    """Area under values [clips, places] over log(at) by the trapezoid rule, over its width, [clips]."""
    width = np.diff(np.log(at))
    area = ((values[:, 1:] + values[:, :-1]) / 2 * width).sum(1)
    return np.asarray(area / width.sum(), dtype=np.float64)


@METRICS.register_module(name="consistency_dt")
class ConsistencyOverTime(Metric):
    """Likeness of frames 2, 5, 10, 20, 50 and 100 frames apart, at 25 frames/s: mean over log time.

    Cosines of the identity embedding; films of another rate are compared over the same times. Neighbouring
    frames are alike in every film; what changes slowly shows in the longer times only. A still film has 1,
    more than a talker: the best value is the real row's.
    """

    name = "consistency_dt"
    unit = "cos"
    higher_is_better = None
    low, high = -1.0, 1.0
    needs = ("character",)
    least_s = 4.8

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip."""
        del reference, prompts
        rate_hz, looks = candidate.frame_rate_hz, candidate.face.looks
        lags = sorted({max(1, round(lag / LAG_RATE_HZ * rate_hz)) for lag in LAGS})
        if looks.shape[1] < lags[-1] + LEAST_PAIRS:
            return MeanScores.of(np.full(candidate.clips, np.nan), candidate.intact)
        likeness = likeness_over_lags(looks, lags)
        found = mean_over_log(likeness, np.array(lags, dtype=np.float64))
        return MeanScores.of(np.clip(found, -1, 1), candidate.intact)

    @staticmethod
    def self_test() -> None:
        """A straight line over the log of the time has the value at its middle."""
        at = np.array([1.0, 2.0, 16.0])
        found = float(mean_over_log(np.log(at)[None], at)[0])
        if abs(found - np.log(4)) > 1e-9:
            raise AssertionError(f"a line over log time from 1 to 16 has the mean {found}, not log 4")
