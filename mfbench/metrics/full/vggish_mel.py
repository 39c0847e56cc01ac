"""The log-mel patches that VGGish was trained on."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES, HOP_SAMPLES, FFT_SAMPLES = 400, 160, 512
BANDS, LOW_HZ, HIGH_HZ = 64, 125.0, 7500.0
PATCH_FRAMES = 96
LOG_OFFSET = 0.01
SHORTEST_SAMPLES = WINDOW_SAMPLES + (PATCH_FRAMES - 1) * HOP_SAMPLES


def patches(waveform: FloatArray) -> FloatArray:
    """Successive patches of 0.96 s, [patches, 96, 64]; what does not fill the last one is dropped.

    Source: Hershey et al. 2017 and the published AudioSet front end.

    Args:
        waveform: at 16 kHz in [-1, 1], [samples].
    """
    if len(waveform) < SHORTEST_SAMPLES:
        return np.zeros((0, PATCH_FRAMES, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(waveform.astype(np.float64), WINDOW_SAMPLES)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)
    spectrum = np.abs(np.fft.rfft(windows[::HOP_SAMPLES] * hann, FFT_SAMPLES))
    mel = np.log(spectrum @ mel_weights() + LOG_OFFSET)
    whole = len(mel) // PATCH_FRAMES
    return mel[: whole * PATCH_FRAMES].reshape(whole, PATCH_FRAMES, BANDS).astype(np.float32)


@functools.cache
def mel_weights() -> Double:
    """64 triangles that are straight on the mel scale itself, without the zeroth bin, [257, 64]."""
    bins = _mel(np.linspace(0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1))[:, None]
    edges = np.linspace(_mel(np.array(LOW_HZ)), _mel(np.array(HIGH_HZ)), BANDS + 2)
    left, peak, right = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins - left) / (peak - left), (right - bins) / (right - peak))
    weights = np.maximum(triangles, 0)
    weights[0] = 0
    return np.asarray(weights)


def _mel(frequency_hz: Double) -> Double:
    return np.asarray(1127 * np.log(1 + frequency_hz / 700))
