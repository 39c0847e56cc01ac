"""Lip sync: the mouth seen in the pixels against the mouth that would say what is heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.readers.speech import MEL_RATE_HZ

FloatArray = NDArray[np.float32]

CHANNELS = ("open", "width")
WEIGHTS = np.array([1.0, 0.5], dtype=np.float32)
MAX_LAG_S = 0.64
LEAST_SPEECH_S = 0.5
LEAST_OPENING = 0.05  # standard deviation of the opening of a mouth that moves


@dataclass(frozen=True)
class SyncCurves:
    """Correlation of mouth tracks against lag, per clip.

    Attributes:
        lags_s: the sound is read this much later than the frame, [lags].
        correlation: weighted over CHANNELS, [clips, lags]; nan where a clip is silent or still.
    """

    lags_s: FloatArray
    correlation: FloatArray

    def at_zero(self) -> FloatArray:
        """Correlation of what is seen and heard at the same time, [clips]."""
        return np.asarray(self.correlation[:, len(self.lags_s) // 2])

    def confidence(self) -> FloatArray:
        """Peak minus median over the lags, as SyncNet's confidence, [clips]."""
        return np.asarray(self.correlation.max(1) - np.median(self.correlation, axis=1))

    def offset_ms(self) -> FloatArray:
        """Where the correlation peaks, refined by a parabola, [clips]; positive = the sound LEADS."""
        usable = np.isfinite(self.correlation[:, 0])
        offsets = np.full(len(self.correlation), np.nan, dtype=np.float32)
        curve = self.correlation[usable]
        rows, peak = np.arange(len(curve)), curve.argmax(1)
        inner = np.clip(peak, 1, curve.shape[1] - 2)
        before, at, after = (curve[rows, inner + k] for k in (-1, 0, 1))
        bend = before - 2 * at + after
        part = np.where(np.abs(bend) > 1e-9, 0.5 * (before - after) / np.where(bend == 0, 1, bend), 0)
        part = np.where(peak == inner, part, 0)
        step = self.lags_s[1] - self.lags_s[0]
        offsets[usable] = -1000 * (self.lags_s[peak] + part * step)
        return offsets


def sync_curves(seen: FloatArray, heard: FloatArray, speech: FloatArray, frame_rate_hz: float) -> SyncCurves:
    """Correlate mouth tracks over lags of +-0.64 s in steps of one mel frame.

    Args:
        seen: CHANNELS read from pixels, [clips, frames, 2], frame k at (k + 0.5) / frame_rate_hz.
        heard: the same read from sound, [clips, mel_frames, 2].
        speech: probability of speech, [clips, mel_frames].
        frame_rate_hz: video frames per second.

    A lag keeps only the frames whose sound lies inside the clip, and at most half a clip is dropped.
    """
    ratio = MEL_RATE_HZ / frame_rate_hz
    reach = min(int(MAX_LAG_S * MEL_RATE_HZ), int(seen.shape[1] * ratio) // 2)
    centre = np.arange(seen.shape[1]) * ratio + (ratio - 1) / 2
    lags = np.arange(-reach, reach + 1)
    columns = []
    for lag in lags:
        position = centre + lag
        inside = (position >= 0) & (position <= heard.shape[1] - 1)
        columns.append(_correlation(seen[:, inside], _at(heard, position[inside])))
    curves = np.stack(columns, 1)
    curves[~has_speech_and_motion(seen, speech)] = np.nan
    return SyncCurves((lags / MEL_RATE_HZ).astype(np.float32), curves.astype(np.float32))


def has_speech_and_motion(seen: FloatArray, speech: FloatArray) -> NDArray[np.bool_]:
    """Clips in which sync means anything: at least 0.5 s of speech and a mouth that moves, [clips]."""
    heard_s = (speech > 0.5).sum(1) / MEL_RATE_HZ
    return np.asarray((heard_s >= LEAST_SPEECH_S) & (seen[:, :, 0].std(1) >= LEAST_OPENING))


def _at(tracks: FloatArray, position: NDArray[np.float64]) -> FloatArray:
    """Tracks [clips, mel_frames, n] at fractional mel frames."""
    left = np.minimum(position.astype(np.int64), tracks.shape[1] - 1)
    part = (position - left).astype(np.float32)[None, :, None]
    right = np.minimum(left + 1, tracks.shape[1] - 1)
    return np.asarray(tracks[:, left] * (1 - part) + tracks[:, right] * part)


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Pearson correlation over time per channel, weighted over channels, [clips]."""
    a = a - a.mean(1, keepdims=True)
    b = b - b.mean(1, keepdims=True)
    product = (a * b).sum(1) / (np.sqrt((a * a).sum(1) * (b * b).sum(1)) + np.float32(1e-6))
    return np.asarray((product * WEIGHTS).sum(-1) / WEIGHTS.sum(), dtype=np.float32)
