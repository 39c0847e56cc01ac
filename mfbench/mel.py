"""Log-mel spectra on a grid whose frame borders are also video-frame and chunk borders.

Mel frame k covers samples [k hop, (k+1) hop); its analysis window is centred on the middle of that interval,
so a mel frame and a video frame of the same instant carry no half-frame offset. `torch.stft` with
`center=True` would centre frame k on the *left* border instead.
"""

from __future__ import annotations

import functools
import math

import torch
import torchaudio
from jaxtyping import Float
from torch import Tensor

from mfbench.clip_spec import ClipSpec

SAMPLE_RATE_HZ = ClipSpec.sample_rate_hz
HOP_SAMPLES = ClipSpec.hop_samples
BANDS = ClipSpec.mel_bands
WINDOW_SAMPLES = 1024  # also the FFT length
FLOOR = 1e-4  # magnitude below which a band is silent
LOG_FLOOR = math.log(FLOOR)

# Mean and spread of the synthesiser's log-mel values; fixed, so that stored latents keep their meaning.
_MEAN = -5.0
_SCALE = 3.3


@functools.cache
def filterbank() -> Float[Tensor, "bins bands"]:
    """Slaney's mel filters over the bins of a real FFT."""
    bank: Tensor = torchaudio.functional.melscale_fbanks(
        WINDOW_SAMPLES // 2 + 1,
        0.0,
        SAMPLE_RATE_HZ / 2,
        BANDS,
        SAMPLE_RATE_HZ,
        norm="slaney",
        mel_scale="slaney",
    )
    return bank


@functools.cache
def analysis_window() -> Float[Tensor, " window"]:
    """Periodic Hann window."""
    return torch.hann_window(WINDOW_SAMPLES)


def log_mel(waveform: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch mel_frames bands"]:
    """Waveform at 16 kHz => natural log of mel magnitudes, floored at `LOG_FLOOR`; 50 frames per second.

    Raises:
        ValueError: where the waveform is not a whole number of mel frames.
    """
    samples = waveform.shape[-1]
    if samples == 0 or samples % HOP_SAMPLES:
        raise ValueError(
            f"a waveform of {samples} samples is not a whole number of mel frames of {HOP_SAMPLES} samples; "
            "cut it at a chunk border"
        )
    flat = waveform.reshape(-1, samples).float()
    spectrum = torch.stft(
        torch.constant_pad_nd(flat, margins()),
        WINDOW_SAMPLES,
        HOP_SAMPLES,
        WINDOW_SAMPLES,
        analysis_window().to(flat.device),
        center=False,
        return_complex=True,
    )
    mel = spectrum.abs().transpose(1, 2) @ filterbank().to(flat.device)
    return mel.clamp(min=FLOOR).log().reshape(*waveform.shape[:-1], samples // HOP_SAMPLES, BANDS)


def margins() -> tuple[int, int]:
    """Samples to pad on the left and on the right so that windows are centred on their hop."""
    left = (WINDOW_SAMPLES - HOP_SAMPLES) // 2
    return left, WINDOW_SAMPLES - HOP_SAMPLES - left


def normalise_mel(mel: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Log-mel => about zero mean and unit variance over the data."""
    return (mel - _MEAN) / _SCALE


def denormalise_mel(normalised: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The inverse of `normalise_mel`."""
    return normalised * _SCALE + _MEAN
