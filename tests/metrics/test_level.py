from __future__ import annotations

import numpy as np
import pytest
import torch

from mfbench.character.performance import perform
from mfbench.mel import log_mel
from mfbench.metrics.level import level_db, mean_level_db


def test_speech_reads_its_level_and_gain_adds_decibels() -> None:
    waves = np.stack([perform(0, "val", i, 2.56, 12.5).waveform for i in range(8)])
    truth = 10 * np.log10((waves**2).mean(1))
    for gain in (1.0, 0.25):
        found = mean_level_db(level_db(log_mel(torch.tensor(gain * waves)).numpy()))
        np.testing.assert_allclose(found, truth + 20 * np.log10(gain), atol=0.5)


def test_silence_is_far_down() -> None:
    assert level_db(np.full((1, 3, 64), np.log(1e-4), np.float32)).max() < -75


def test_the_mean_is_of_power() -> None:
    assert mean_level_db(np.array([[0.0, -100.0]], np.float32))[0] == pytest.approx(-3.01, abs=0.01)
