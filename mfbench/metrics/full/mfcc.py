"""Mel-frequency cepstra as SyncNet was trained on them: the defaults of python_speech_features 0.6."""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Double = NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES, HOP_SAMPLES = 400, 160  # 25 ms and 10 ms, rectangular window
FFT_SAMPLES = 512
FILTERS, COEFFICIENTS = 26, 13
PRE_EMPHASIS = 0.97
LIFTER = 22
_TINY = np.finfo(np.float64).eps


def mfcc(samples: Double) -> Double:
    """13 coefficients every 10 ms; the zeroth is the logarithm of the frame's energy.

    Args:
        samples: at 16 kHz on the scale of 16-bit integers, [samples]; the scale shifts the energy.

    Returns:
        [frames, 13]; the last frame is filled up with zeros.

    Raises:
        ValueError: if there are no samples.
    """
    if len(samples) == 0:
        raise ValueError("no samples; wanted at least one")
    emphasised = np.append(samples[0], samples[1:] - PRE_EMPHASIS * samples[:-1])
    power = np.abs(np.fft.rfft(_frames(emphasised), FFT_SAMPLES)) ** 2 / FFT_SAMPLES
    mel = _positive(power @ mel_filters().T)
    cepstra = scipy.fft.dct(np.log(mel), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    cepstra *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    cepstra[:, 0] = np.log(_positive(power.sum(1)))
    return np.asarray(cepstra)


def to_int16_scale(waveform: NDArray[np.float32]) -> Double:
    """A waveform in [-1, 1] as the 16-bit integers of a sound file, [samples]."""
    scaled = np.rint(waveform.astype(np.float64) * 32_768)
    return np.asarray(np.clip(scaled, -32_768, 32_767))


@functools.cache
def mel_filters() -> Double:
    """26 triangles over the bins of the FFT from 0 Hz to 8 kHz, corners rounded down to bins, [26, 257]."""
    top_mel = 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, top_mel, FILTERS + 2) / 2595) - 1)
    corners = np.floor((FFT_SAMPLES + 1) * corners_hz / SAMPLE_RATE_HZ)
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(FFT_SAMPLES // 2 + 1)[None]
    rising = np.where((bins >= left) & (bins < peak), (bins - left) / (peak - left), 0)
    falling = np.where((bins >= peak) & (bins < right), (right - bins) / (right - peak), 0)
    return np.asarray(rising + falling)


def _frames(samples: Double) -> Double:
    count = 1 + max(0, -(-(len(samples) - WINDOW_SAMPLES) // HOP_SAMPLES))
    padded = np.zeros((count - 1) * HOP_SAMPLES + WINDOW_SAMPLES)
    padded[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]


def _positive(values: Double) -> Double:
    return np.where(values == 0, _TINY, values)
