"""Drift of plain measurements over a long rollout: slope of the distance from the first window, per 10 s.

Whichever way a measurement goes, moving away from where it began is drift. The best value is the real row's.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.drift import LEAST_WINDOWS, drift_scores, slope_per_10_s, windowed
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.metrics.sync import sync_curves
from mfbench.registry import METRICS

_HEAD = slice(4, 11)  # of MOTION_PARAMETERS


def no_scores(observation: Observation) -> Scores:
    """Not applicable to any clip."""
    return MeanScores.of(np.full(observation.clips, np.nan), observation.intact)


class SignalDrift(Metric):
    """Slope of |window - first window|."""

    least_clips = 16
    least_s = 15.36
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """What drifts, [clips, time], and its rate; None where the clip has none."""

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip."""
        del reference, prompts
        found = self.track(candidate)
        if found is None:
            return no_scores(candidate)
        values = window_means(*found)
        return drift_scores(np.abs(values[:, 1:] - values[:, :1]), candidate)


def window_means(track: FloatArray, rate_hz: float) -> Double:
    """Mean per window without nan entries, [clips, windows]; nan where a window has none."""
    pieces = windowed(track, rate_hz).astype(np.float64)
    known = np.isfinite(pieces)
    count = known.sum(2)
    sums = np.where(known, pieces, 0).sum(2)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


@METRICS.register_module(name="drift_luma")
class DriftLuma(SignalDrift):
    """Growth of the difference in brightness from the first window."""

    name = "drift_luma"
    unit = "grey levels/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Mean brightness per frame."""
        return observation.picture.luma, observation.frame_rate_hz


@METRICS.register_module(name="drift_contrast")
class DriftContrast(SignalDrift):
    """Growth of the difference in contrast from the first window."""

    name = "drift_contrast"
    unit = "grey levels/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Standard deviation of the brightness per frame."""
        return observation.picture.contrast, observation.frame_rate_hz


@METRICS.register_module(name="drift_sat")
class DriftSaturation(SignalDrift):
    """Growth of the difference in saturation from the first window."""

    name = "drift_sat"
    unit = "1/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Mean saturation per frame."""
        return observation.picture.saturation, observation.frame_rate_hz


@METRICS.register_module(name="drift_clip")
class DriftClipping(SignalDrift):
    """Growth of the difference in the share of colour values at 0 or 255 from the first window."""

    name = "drift_clip"
    unit = "share/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Share per frame."""
        return observation.picture.clipped, observation.frame_rate_hz


@METRICS.register_module(name="drift_sharpness")
class DriftSharpness(SignalDrift):
    """Growth of the difference in sharpness from the first window: blur as well as hardened texture."""

    name = "drift_sharpness"
    unit = "1/10 s"

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Sharpness per frame."""
        return observation.picture.sharpness, observation.frame_rate_hz


@METRICS.register_module(name="drift_motion")
class DriftMotion(SignalDrift):
    """Growth of the difference in head motion from the first window: freezing or trembling."""

    name = "drift_motion"
    unit = "1/s per 10 s"
    needs = ("character",)

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Speed of the head per frame."""
        head = observation.face.motion[..., _HEAD]
        speed = np.abs(np.diff(head, axis=1, prepend=head[:, :1])).mean(-1) * observation.frame_rate_hz
        return np.asarray(speed, dtype=np.float32), observation.frame_rate_hz


@METRICS.register_module(name="drift_f0_semitones")
class DriftPitch(SignalDrift):
    """Growth of the difference in pitch from the first window."""

    name = "drift_f0_semitones"
    unit = "semitones/10 s"
    needs = ("sound",)

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Pitch in semitones per frame, nan where unvoiced."""
        if observation.sound is None:
            return None
        return np.asarray(12 * np.log2(observation.sound.pitch_hz), dtype=np.float32), MEL_RATE_HZ


@METRICS.register_module(name="drift_spec_centroid")
class DriftCentroid(SignalDrift):
    """Growth of the difference in the centre of the spectrum from the first window: dull or shrill."""

    name = "drift_spec_centroid"
    version = 2
    unit = "Hz/10 s"
    needs = ("sound",)

    def track(self, observation: Observation) -> tuple[FloatArray, float] | None:
        """Centroid per frame, nan in silence."""
        return observation.centroid_hz, MEL_RATE_HZ


@METRICS.register_module(name="drift_offset_slope_ms_per_s")
class DriftOffset(Metric):
    """Change of the offset between sound and picture per second: clocks that run apart; best is 0."""

    name = "drift_offset_slope_ms_per_s"
    unit = "ms/s"
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope over windows per clip; silent or still windows are left out."""
        del reference, prompts
        offsets = windowed_offsets_ms(candidate)
        if offsets.shape[1] < LEAST_WINDOWS:
            return no_scores(candidate)
        return MeanScores.of(slope_per_10_s(offsets) / 10, candidate.intact)


def windowed_offsets_ms(observation: Observation) -> Double:
    """Offset of every window, [clips, windows]; nan where it is silent or still."""

    def pieces(track: FloatArray, rate_hz: float) -> FloatArray:
        cut = windowed(track, rate_hz)
        return cut.reshape(-1, *cut.shape[2:])

    count = windowed(observation.face.motion[..., 0], observation.frame_rate_hz).shape[1]
    if count == 0:
        return np.zeros((observation.clips, 0))
    found = sync_curves(
        pieces(observation.face.motion[..., :2], observation.frame_rate_hz),
        pieces(observation.speech.mouth[..., :2], MEL_RATE_HZ),
        pieces(observation.speech.speech, MEL_RATE_HZ),
        observation.frame_rate_hz,
    )
    return found.offset_ms().reshape(observation.clips, count).astype(np.float64)
