from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mfbench.character.performance import perform
from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, log_mel
from mfbench.metrics.level import AUDIBLE_DB, centroid_hz, level_db, mean_level_db


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


def test_the_level_of_every_frame_is_near_that_of_its_samples() -> None:
    """A frame of the mel hears 64 ms, one of samples 20 ms: equal in the middle, not frame by frame."""
    waves = np.stack([perform(0, "val", i, 2.56, 12.5).waveform for i in range(8)])
    samples = 10 * np.log10((waves.reshape(8, -1, HOP_SAMPLES) ** 2).mean(-1) + 1e-12)
    found = level_db(log_mel(torch.tensor(waves)).numpy())
    loud = samples > AUDIBLE_DB
    assert abs(np.median((found - samples)[loud])) < 1
    assert ((found > AUDIBLE_DB) == loud).mean() > 0.9


@settings(max_examples=30, deadline=None)
@given(hz=st.floats(300, 7500), size=st.floats(0.02, 1.0))
def test_the_centroid_of_a_sine_is_its_frequency(hz: float, size: float) -> None:
    times = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    mel = log_mel(torch.tensor(size * np.sin(2 * np.pi * hz * times)[None])).numpy()
    np.testing.assert_allclose(centroid_hz(mel)[0, 2:-2], hz, rtol=0.03)


def test_the_centroid_is_that_of_the_spectrum_before_its_bands() -> None:
    waves = np.stack([perform(0, "val", i, 2.56, 12.5).waveform for i in range(4)])
    mel = log_mel(torch.tensor(waves)).numpy()
    views = np.lib.stride_tricks.sliding_window_view(np.pad(waves, ((0, 0), (352, 352))), 1024, axis=1)
    spectrum = np.abs(np.fft.rfft(views[:, ::HOP_SAMPLES] * np.hanning(1025)[:-1], axis=-1))
    hz = np.fft.rfftfreq(1024, 1 / SAMPLE_RATE_HZ)
    banded = spectrum * np.interp(hz, [0, 46.875, 7625, 8000], [0, 1, 1, 0])  # edges and end peaks of filters
    wanted = (banded @ hz) / banded.sum(-1)
    found = centroid_hz(mel)
    loud = level_db(mel) > -35  # more than the floor of every band
    assert loud.mean() > 0.5
    np.testing.assert_allclose(found[loud], wanted[loud], rtol=0.1)
    np.testing.assert_allclose(np.median((found / wanted)[loud]), 1, atol=5e-3)


def test_silence_has_no_centroid() -> None:
    assert np.isnan(centroid_hz(np.full((1, 3, 64), np.log(1e-4), np.float32))).all()
