"""How quality changes over a long rollout: the slope over windows of equal length, per 10 s.

Colour, identity and loudness are distances from the first window, whose slope is taken over the later ones
(the first is at distance 0 by definition). A slope is signed and a real talker drifts a little too: the best
value is the real row's.
"""

from __future__ import annotations

import numpy as np

from mfbench.clip_spec import ClipSpec
from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.level import mean_level_db
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.metrics.sync import sync_curves
from mfbench.registry import METRICS

WINDOW_S = ClipSpec().duration_s
LEAST_WINDOWS = 3
_SLOPE_S = 10.0
_CONSTANT = 1e-6  # rounding of equal values


def windowed(tracks: FloatArray, rate_hz: float) -> FloatArray:
    """[clips, time, ...] => [clips, windows, time, ...], cutting an incomplete last window."""
    length = round(WINDOW_S * rate_hz)
    count = tracks.shape[1] // length
    return tracks[:, : count * length].reshape(len(tracks), count, length, *tracks.shape[2:])


def slope_per_10_s(values: Double) -> Double:
    """Least-squares slope over windows [clips, windows], nan entries left out, per 10 s, [clips].

    A clip with fewer finite windows than a line needs to be checked (3) has none.
    """
    finite = np.isfinite(values)
    count = np.maximum(finite.sum(1, keepdims=True), 1)
    times = np.arange(values.shape[1]) * WINDOW_S
    x = np.where(finite, times - np.where(finite, times, 0).sum(1, keepdims=True) / count, 0)
    y = np.where(finite, values, 0)
    square = (x * x).sum(1)
    slope = (x * y).sum(1) / np.where(square > 0, square, 1)
    return np.where(finite.sum(1) >= LEAST_WINDOWS, _SLOPE_S * slope, np.nan)


def drift_scores(distance: Double, observation: Observation) -> Scores:
    """Slopes of distances from the first window, [clips, windows after it].

    Not applicable where nothing varies anywhere: then it cannot by construction.
    """
    if distance.shape[1] < LEAST_WINDOWS - 1 or np.ptp(distance) < _CONSTANT:
        return MeanScores.of(np.full(observation.clips, np.nan), observation.intact)
    if distance.shape[1] == LEAST_WINDOWS - 1:  # two later windows still give a slope
        return MeanScores.of(_SLOPE_S / WINDOW_S * (distance[:, 1] - distance[:, 0]), observation.intact)
    return MeanScores.of(slope_per_10_s(distance), observation.intact)


@METRICS.register_module(name="drift_colour")
class DriftColour(Metric):
    """Growth of the colour distance from the first window (background, shirt, hair, skin)."""

    name = "drift_colour"
    unit = "grey levels/10 s"
    higher_is_better = None
    needs = ("character",)
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        colours = windowed(candidate.face.colours, candidate.frame_rate_hz).mean(2, dtype=np.float64)
        distance = np.sqrt(((colours[:, 1:] - colours[:, :1]) ** 2).mean(-1))
        return drift_scores(distance, candidate)


@METRICS.register_module(name="drift_identity")
class DriftIdentity(Metric):
    """Growth of the identity distance (1 - cosine) from the first window."""

    name = "drift_identity"
    unit = "cos/10 s"
    higher_is_better = None
    needs = ("character",)
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        looks = windowed(candidate.face.looks, candidate.frame_rate_hz).mean(2, dtype=np.float64)
        looks /= np.linalg.norm(looks, axis=-1, keepdims=True) + 1e-9
        return drift_scores(1 - (looks[:, 1:] * looks[:, :1]).sum(-1), candidate)


@METRICS.register_module(name="drift_loudness")
class DriftLoudness(Metric):
    """Growth of the difference in loudness from the first window, whichever way it goes."""

    name = "drift_loudness"
    unit = "dB/10 s"
    higher_is_better = None
    needs = ("sound",)
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        level = mean_level_db(windowed(candidate.level_db, MEL_RATE_HZ)).astype(np.float64)
        return drift_scores(np.abs(level[:, 1:] - level[:, :1]), candidate)


@METRICS.register_module(name="drift_sync")
class DriftSync(Metric):
    """Loss of `sync_corr` over time: positive = sync gets worse."""

    name = "drift_sync"
    unit = "r/10 s"
    higher_is_better = None
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip; silent or still windows are left out."""
        del reference, prompts
        seen = windowed(candidate.face.motion[..., :2], candidate.frame_rate_hz)
        if seen.shape[1] < LEAST_WINDOWS:
            return MeanScores.of(np.full(candidate.clips, np.nan), candidate.intact)
        heard = windowed(candidate.speech.mouth[..., :2], MEL_RATE_HZ)
        speech = windowed(candidate.speech.speech, MEL_RATE_HZ)
        flat = sync_curves(
            seen.reshape(-1, *seen.shape[2:]),
            heard.reshape(-1, *heard.shape[2:]),
            speech.reshape(-1, speech.shape[2]),
            candidate.frame_rate_hz,
        )
        correlation = flat.at_zero().reshape(seen.shape[:2]).astype(np.float64)
        return MeanScores.of(-slope_per_10_s(correlation), candidate.intact)
