"""Log-mel back to sound, for people to listen to; metrics read the mel itself."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from mfbench.mel import (
    BANDS,
    FLOOR,
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    analysis_window,
    filterbank,
    margins,
)

_MOMENTUM = 0.99  # of fast Griffin-Lim, as in torchaudio
_INVERSION_STEPS = 30


def vocode(
    mel: Float[Tensor, "*batch mel_frames bands"], generator: torch.Generator, iterations: int = 32
) -> Float[Tensor, "*batch samples"]:
    """Log-mel => waveform by fast Griffin-Lim on the un-centred frame grid; starts from random phases.

    Source: Perraudin, Balazs, Sondergaard 2013, "A fast Griffin-Lim algorithm".
    """
    if mel.shape[-1] != BANDS:
        raise ValueError(f"log-mel has {mel.shape[-1]} bands, wanted are {BANDS}")
    frames = mel.shape[-2]
    magnitude = invert_mel(mel.reshape(-1, frames, BANDS).float())
    turns = torch.rand(magnitude.shape, generator=generator, dtype=magnitude.dtype)
    phase = torch.exp(2j * torch.pi * turns)
    previous = torch.zeros_like(phase)
    for _ in range(iterations):
        estimate = analyse(synthesise(magnitude * phase))
        ahead = estimate - previous * (_MOMENTUM / (1 + _MOMENTUM))
        phase, previous = ahead / (ahead.abs() + 1e-9), estimate
    left = margins()[0]
    waveform = synthesise(magnitude * phase)[:, left : left + frames * HOP_SAMPLES]
    return waveform.reshape(*mel.shape[:-2], frames * HOP_SAMPLES)


def invert_mel(mel: Float[Tensor, "batch mel_frames bands"]) -> Float[Tensor, "batch bins mel_frames"]:
    """Non-negative linear magnitudes whose mel is closest, by multiplicative updates.

    Source: Lee and Seung 2001, "Algorithms for non-negative matrix factorization" (one factor fixed).
    """
    bank = filterbank()
    target = (mel.exp() - FLOOR).clamp(min=0.0)  # the floor of `log_mel` is not sound
    magnitude: Tensor = (target @ torch.linalg.pinv(bank)).clamp(min=1e-5)
    numerator = target @ bank.T
    gram = bank @ bank.T
    for _ in range(_INVERSION_STEPS):
        magnitude = magnitude * numerator / (magnitude @ gram + 1e-9)
    return magnitude.transpose(1, 2)


def analyse(waveform: Float[Tensor, "batch samples"]) -> Complex[Tensor, "batch bins mel_frames"]:
    """Short-time spectrum of a waveform that already has its margins."""
    spectrum: Tensor = torch.stft(
        waveform,
        WINDOW_SAMPLES,
        HOP_SAMPLES,
        WINDOW_SAMPLES,
        analysis_window(),
        center=False,
        return_complex=True,
    )
    return spectrum


def synthesise(spectrum: Complex[Tensor, "batch bins mel_frames"]) -> Float[Tensor, "batch samples"]:
    """Weighted overlap-add, the least-squares inverse of `analyse`."""
    frames = torch.fft.irfft(spectrum, WINDOW_SAMPLES, dim=1) * analysis_window()[:, None]
    return _overlap_add(frames) / _window_energy(spectrum.shape[-1])


@functools.cache
def _window_energy(frames: int) -> Float[Tensor, " samples"]:
    squared = (analysis_window() ** 2)[None, :, None].expand(1, WINDOW_SAMPLES, frames)
    return _overlap_add(squared)[0].clamp(min=1e-3)


def _overlap_add(frames: Float[Tensor, "batch window mel_frames"]) -> Float[Tensor, "batch samples"]:
    length = (frames.shape[-1] - 1) * HOP_SAMPLES + WINDOW_SAMPLES
    folded: Tensor = torch.nn.functional.fold(
        frames, (1, length), (1, WINDOW_SAMPLES), stride=(1, HOP_SAMPLES)
    )
    return folded[:, 0, 0]
