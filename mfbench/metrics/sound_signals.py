"""Plain measurements of sound, of any content, from the waveform."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ
from mfbench.metrics.level import AUDIBLE_DB

FloatArray = NDArray[np.float32]

CONTEXT_FRAMES = 2  # of sound on either side that a frame's values depend on
FULL_SCALE = 0.999
_PITCH_HZ = (60.0, 400.0)
_PITCH_FRAME = 1024  # samples
_SMOOTH_HZ = 3000.0
_VOICED = 0.5  # of the autocorrelation's peak
_CLICK_ORDER = (
    4  # of the difference: the power of a step falls by 6 dB an octave, that of a voice by 12 or more
)
_CLICK = 2.0  # times the largest difference around it: pulses of a voice recur there, noise is as large there
_CLICK_LEAST = 0.03  # of the difference; that of a step is 3 times its height
_CLICK_WIDTH = 5  # samples that belong to one click
_CLICK_REACH = 400  # samples on either side that count as around it: 25 ms, more than a period of a voice


@dataclass(frozen=True)
class SoundSignals:
    """What the waveform of clips is like, per frame of 20 ms, [clips, frames].

    Attributes:
        pitch_hz: nan where nothing is voiced.
        full_scale: share of samples at full scale.
        offset: mean of the samples.
        click: whether there is a sudden step.
    """

    pitch_hz: FloatArray
    full_scale: FloatArray
    offset: FloatArray
    click: NDArray[np.bool_]


def sound_signals(waveform: FloatArray) -> SoundSignals:
    """Measure waveforms [clips, samples] at 16 kHz, mono, in -1..1; whole frames of 320 samples.

    Raises:
        ValueError: for another shape or a broken frame.
    """
    if waveform.ndim != 2 or waveform.shape[1] % HOP_SAMPLES or waveform.shape[1] < _PITCH_FRAME:
        raise ValueError(
            f"waveforms have shape {waveform.shape}; wanted is [clips, samples] with a multiple of "
            f"{HOP_SAMPLES} and at least {_PITCH_FRAME} samples"
        )
    frames = waveform.reshape(len(waveform), -1, HOP_SAMPLES).astype(np.float32)
    level = 10 * np.log10((frames.astype(np.float64) ** 2).mean(-1) + 1e-12)
    return SoundSignals(
        pitch_hz=_pitch(waveform, level),
        full_scale=(np.abs(frames) >= FULL_SCALE).mean(-1, dtype=np.float32),
        offset=frames.mean(-1, dtype=np.float32),
        click=_clicks(frames),
    )


def _pitch(waveform: FloatArray, level_db: NDArray[np.float64]) -> FloatArray:
    """Peak of the autocorrelation of 64 ms around every frame, refined by a parabola."""
    margin = (_PITCH_FRAME - HOP_SAMPLES) // 2
    padded = np.pad(waveform, ((0, 0), (margin, margin)))
    views = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_FRAME, axis=1)[:, ::HOP_SAMPLES]
    pitches = np.full(views.shape[:2], np.nan, np.float32)
    loud = level_db > AUDIBLE_DB
    chosen = views[loud]
    if len(chosen):
        pitches[loud] = _pitch_of(chosen - chosen.mean(1, keepdims=True))
    return pitches


def _pitch_of(rows: FloatArray) -> FloatArray:
    """Pitch of rows [n, samples] in Hz, nan where the peak is low."""
    power = np.abs(np.fft.rfft(rows, 2 * _PITCH_FRAME, axis=1)) ** 2 * _smoothing()
    correlation = np.fft.irfft(power, axis=1)[:, :_PITCH_FRAME]
    overlap = 1 - np.arange(_PITCH_FRAME) / _PITCH_FRAME
    correlation = correlation / (correlation[:, :1] + 1e-9) / overlap
    first, last = (round(SAMPLE_RATE_HZ / hz) for hz in reversed(_PITCH_HZ))
    section = correlation[:, first : last + 1]
    best = section.max(1)
    lag = (section >= 0.9 * best[:, None]).argmax(1)  # the first good one: no multiple of the period
    lag = _climb(section, lag)
    before, at, after = (section[np.arange(len(lag)), lag + k] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    part = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
    return np.where(best >= _VOICED, SAMPLE_RATE_HZ / (first + lag + part), np.nan).astype(np.float32)


@functools.cache
def _smoothing() -> NDArray[np.float64]:
    """Widens the peaks of an autocorrelation: one between two lags must not lose to one on a lag."""
    hz = np.fft.rfftfreq(2 * _PITCH_FRAME, 1 / SAMPLE_RATE_HZ)
    return np.asarray(np.exp(-((hz / _SMOOTH_HZ) ** 2)))


def _climb(section: NDArray[np.floating], lag: NDArray[np.int64]) -> NDArray[np.int64]:
    """To the top of the peak that a lag stands on."""
    rows = np.arange(len(lag))
    lag = np.clip(lag, 1, section.shape[1] - 2)
    for _ in range(section.shape[1]):
        higher = (section[rows, lag + 1] > section[rows, lag]) & (lag < section.shape[1] - 2)
        if not higher.any():
            break
        lag = lag + higher
    return lag


def _clicks(frames: FloatArray) -> NDArray[np.bool_]:
    """Whether a fourth difference stands out of those around it, [clips, frames].

    A step bends the samples on both its sides; it counts once, in the frame of the first one, even where the
    border of a frame runs through it, which is where the seams of chunks are.
    """
    samples = frames.reshape(len(frames), -1)
    margin = _CLICK_ORDER // 2
    bend = np.pad(np.abs(np.diff(samples, _CLICK_ORDER, axis=1)), ((0, 0), (margin, margin)))
    peak = bend > _CLICK_LEAST
    for lag in range(1, _CLICK_WIDTH + 1):
        peak &= (bend > _moved(bend, lag)) & (bend >= _moved(bend, -lag))
    span = _CLICK_REACH - _CLICK_WIDTH  # an odd number of samples, centred on its middle
    highest = maximum_filter1d(bend, span, axis=1, mode="constant")
    middle = _CLICK_WIDTH + (span + 1) // 2
    around = np.maximum(_moved(highest, middle), _moved(highest, -middle))
    return np.asarray((peak & (bend > _CLICK * around)).reshape(frames.shape).any(-1))


def _moved(tracks: FloatArray, lag: int) -> FloatArray:
    """The value so many samples before every one (after it, if negative); 0 beyond the ends."""
    moved = np.zeros_like(tracks)
    if lag > 0:
        moved[:, lag:] = tracks[:, :-lag]
    else:
        moved[:, :lag] = tracks[:, -lag:]
    return moved
