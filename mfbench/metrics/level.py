"""Loudness and the centre of the spectrum read from log-mel."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.mel import (
    FLOOR,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    analysis_window,
    filterbank,
    log_mel,
)

FloatArray = NDArray[np.float32]

AUDIBLE_DB = -50.0  # of full scale; what is below counts as silence
_WITHIN_BAND_DB = 2.06  # measured on 192 synthesised clips against the waveform


def level_db(mel: FloatArray) -> FloatArray:
    """Root mean square level of every mel frame in dB of full scale, [clips, mel_frames].

    The power of a band is its mean magnitude squared times the bins it stands for. That ignores how bins
    vary within a band, which takes 2.06 dB (sd 0.09 dB between clips) off speech; they are added back.
    """
    power = (np.exp(2 * mel.astype(np.float32)) * _bin_power()).sum(-1)
    return np.asarray(10 * np.log10(power) + _WITHIN_BAND_DB, dtype=np.float32)


def mean_level_db(level: FloatArray) -> FloatArray:
    """Level of whole clips: the mean of power, not of decibels; [clips, frames] => [clips]."""
    return np.asarray(10 * np.log10((10 ** (level.astype(np.float64) / 10)).mean(-1)), dtype=np.float32)


def centroid_hz(mel: FloatArray) -> FloatArray:
    """Centre of the magnitude spectrum of every mel frame, nan in silence, [clips, mel_frames].

    Triangles that overlap by half add up to 1, and weighted with their centres to the frequency itself; so
    both sums over bins are sums over bands, and the centre is that of the spectrum before its bands.
    """
    magnitude = np.maximum(np.exp(mel.astype(np.float64)) - FLOOR, 0)  # the floor of `log_mel` is not sound
    total, moment = np.moveaxis(magnitude @ _moments(), -1, 0)
    loud = level_db(mel) > AUDIBLE_DB
    return np.where(loud, moment / np.where(loud, total, 1), np.nan).astype(np.float32)


def noisy(mel: FloatArray, snr_db: tuple[float, float] = (10.0, 25.0)) -> FloatArray:
    """Log-mel [clips, mel_frames, bands] as it would be with white noise, each clip at its own ratio.

    Powers of independent sounds add in expectation. The draws are fixed.
    """
    rng = np.random.default_rng(11)
    seconds = torch.from_numpy(rng.standard_normal(HOP_SAMPLES * mel.shape[1]).astype(np.float32))
    hiss = log_mel(seconds[None]).numpy()  # of unit power, 0 dB
    below_db = rng.uniform(*snr_db, len(mel)) - mean_level_db(level_db(mel))
    gain = (-below_db * np.log(10) / 20).astype(np.float32)[:, None, None]
    return np.asarray(0.5 * np.logaddexp(2 * mel, 2 * (hiss + gain)), dtype=np.float32)


@functools.cache
def _bin_power() -> FloatArray:
    """Per band: factor from squared mel magnitude to mean square of the waveform."""
    bank = filterbank().numpy().astype(np.float64)
    window = analysis_window().numpy().astype(np.float64)
    bins = bank.sum(0) ** 2 / (bank**2).sum(0)  # width of a triangle as if it were a box
    bins *= len(bank) / bins.sum()
    magnitude = 1 / bank.sum(0)  # filters sum up magnitudes; this makes a mean of them
    parseval = WINDOW_SAMPLES / 2 * (window**2).sum()
    return np.asarray(bins * magnitude**2 / parseval, dtype=np.float32)


@functools.cache
def _moments() -> NDArray[np.float64]:
    """Weights with which the filters add up to 1 and to the frequency in Hz, [bands, 2].

    They do from the peak of the first to that of the last filter; what lies outside counts the less.
    """
    bank = filterbank().numpy().astype(np.float64)
    hz = np.linspace(0, SAMPLE_RATE_HZ / 2, len(bank))
    within = slice(bank[:, 0].argmax(), bank[:, -1].argmax() + 1)
    wanted = np.stack([np.ones_like(hz), hz], axis=1)
    return np.asarray(np.linalg.lstsq(bank[within], wanted[within])[0], dtype=np.float64)
