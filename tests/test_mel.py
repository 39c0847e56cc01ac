from __future__ import annotations

import math

import pytest
import torch

from mfbench.mel import (
    BANDS,
    HOP_SAMPLES,
    LOG_FLOOR,
    SAMPLE_RATE_HZ,
    denormalise_mel,
    filterbank,
    log_mel,
    normalise_mel,
)


def tone(frequency_hz: float, samples: int) -> torch.Tensor:
    return torch.sin(2 * math.pi * frequency_hz * torch.arange(samples) / SAMPLE_RATE_HZ)


def test_shape_and_silence() -> None:
    mel = log_mel(torch.zeros(2, 3, 10 * HOP_SAMPLES))
    assert mel.shape == (2, 3, 10, BANDS)
    assert torch.all(mel == torch.tensor(LOG_FLOOR))


def test_a_batch_equals_its_clips_one_by_one() -> None:
    waves = torch.randn(3, 20 * HOP_SAMPLES, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_mel(waves), torch.stack([log_mel(w) for w in waves]))


def test_a_click_in_the_middle_of_a_hop_is_symmetric_around_that_frame() -> None:
    wave = torch.zeros(21 * HOP_SAMPLES)
    wave[10 * HOP_SAMPLES + HOP_SAMPLES // 2] = 1.0
    energy = log_mel(wave).sum(1)
    assert int(energy.argmax()) == 10
    torch.testing.assert_close(energy, energy.flip(0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("frequency_hz", [300.0, 1000.0, 4000.0])
def test_a_tone_peaks_in_the_band_whose_filter_is_largest_there(frequency_hz: float) -> None:
    mel = log_mel(tone(frequency_hz, 50 * HOP_SAMPLES))[25]
    wanted = int(filterbank()[round(frequency_hz / SAMPLE_RATE_HZ * 1024)].argmax())
    assert abs(int(mel.argmax()) - wanted) <= 1


def test_gain_adds_a_constant() -> None:
    wave = tone(500.0, 20 * HOP_SAMPLES)
    difference = (log_mel(wave) - log_mel(0.5 * wave))[:, int(log_mel(wave)[10].argmax())]
    torch.testing.assert_close(difference, torch.full_like(difference, math.log(2.0)), rtol=1e-4, atol=1e-4)


def test_normalisation_round_trip() -> None:
    mel = torch.linspace(-9.2, 2.0, 64).reshape(4, 16)
    torch.testing.assert_close(denormalise_mel(normalise_mel(mel)), mel)


def test_a_length_off_the_grid_says_what_was_wanted() -> None:
    with pytest.raises(ValueError, match="whole number of mel frames of 320"):
        log_mel(torch.zeros(1000))
