from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mfbench.character.performance import perform
from mfbench.codecs.vocoder import invert_mel, vocode
from mfbench.mel import HOP_SAMPLES, LOG_FLOOR, SAMPLE_RATE_HZ, filterbank, log_mel


def speech(index: int) -> torch.Tensor:
    return torch.tensor(perform(0, "train", index, 1.28, 12.5).waveform)


def test_the_mel_of_vocoded_speech_is_close_and_not_shifted() -> None:
    mel = log_mel(torch.stack([speech(0), speech(1)]))
    heard = vocode(mel, torch.Generator().manual_seed(0))
    assert heard.shape == (2, mel.shape[1] * HOP_SAMPLES)
    errors = {}
    for shift in (-1, 0, 1):
        again = torch.roll(log_mel(heard), shift, dims=1)
        errors[shift] = float(((again - mel) ** 2).mean(-1).sqrt().mean() * 20 / math.log(10))
    assert errors[0] < 3.0
    assert errors[0] < min(errors[-1], errors[1])


def test_silence_stays_silent() -> None:
    heard = vocode(torch.full((10, 64), LOG_FLOOR), torch.Generator().manual_seed(0), iterations=4)
    assert float(heard.abs().max()) < 1e-3


def test_a_tone_keeps_its_pitch() -> None:
    wave = 0.3 * torch.sin(2 * math.pi * 440 * torch.arange(40 * HOP_SAMPLES) / SAMPLE_RATE_HZ)
    heard = vocode(log_mel(wave), torch.Generator().manual_seed(0)).numpy()
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(spectrum.argmax() * SAMPLE_RATE_HZ / len(heard) - 440) < 40  # one mel band


def test_inversion_reproduces_the_mel() -> None:
    mel = log_mel(speech(2))[None]
    again = invert_mel(mel).transpose(1, 2) @ filterbank()
    active = mel > LOG_FLOOR + 1
    torch.testing.assert_close(again.log()[active], mel[active], atol=0.5, rtol=0)


def test_same_generator_same_sound() -> None:
    mel = log_mel(speech(0))
    runs = [vocode(mel, torch.Generator().manual_seed(3), iterations=4) for _ in range(2)]
    assert torch.equal(runs[0], runs[1])


def test_wrong_bands() -> None:
    with pytest.raises(ValueError, match="wanted are 64"):
        vocode(torch.zeros(10, 40), torch.Generator())
