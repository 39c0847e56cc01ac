"""Hiss added to a spectrum, and readers that learned with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metric_world import RealClips

from mfbench.mel import log_mel
from mfbench.metrics.level import level_db, mean_level_db, noisy
from mfbench.metrics.observe import Observation, Readers, observe


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_hiss_in_the_spectrum_is_hiss_in_the_waveform(snr_db: float, spoken: RealClips) -> None:
    waves, mel = spoken.waveform[:6], spoken.mel[:6]
    made = noisy(mel, (snr_db, snr_db))
    power = (waves**2).mean(1, keepdims=True) / 10 ** (snr_db / 10)
    hiss = np.random.default_rng(0).standard_normal(waves.shape) * np.sqrt(power)
    true = log_mel(torch.from_numpy((waves + hiss).astype(np.float32))).numpy()
    assert abs((made - true).mean()) < 0.1
    assert np.abs(made.mean(1) - true.mean(1)).max() < 0.35  # per clip and band, in natural log units
    louder = mean_level_db(level_db(made)) - mean_level_db(level_db(mel))
    # a level is read with the correction of speech, of which hiss needs less
    np.testing.assert_allclose(louder, 10 * np.log10(1 + 10 ** (-snr_db / 10)), atol=0.7)


def test_hiss_only_adds_and_is_always_the_same(spoken: RealClips) -> None:
    first = noisy(spoken.mel)
    np.testing.assert_array_equal(first, noisy(spoken.mel))
    assert (first >= spoken.mel - 1e-5).all()
    assert first.dtype == np.float32
    assert np.ptp(mean_level_db(level_db(first)) - mean_level_db(level_db(spoken.mel))) > 0.05


def test_a_listener_changes_the_mouth_and_not_the_words(spoken: RealClips, readers: Readers) -> None:
    mel = spoken.mel[:4]
    understood = readers.speech.read(mel)
    found = readers.listener.with_mouth_of(understood, mel)
    for name in ("phones", "words", "phone_onsets_s", "word_onsets_s"):
        assert getattr(found, name) == getattr(understood, name)
    own = readers.listener.read(mel)
    np.testing.assert_array_equal(found.mouth[..., :2], own.mouth[..., :2])  # opening and width
    np.testing.assert_array_equal(found.mouth[..., 2:], understood.mouth[..., 2:])
    np.testing.assert_array_equal(found.speech, own.speech)
    assert np.abs(found.mouth - understood.mouth).max() > 1e-3
    same = readers.speech.with_mouth_of(understood, mel)
    np.testing.assert_array_equal(same.mouth, understood.mouth)


def test_a_listener_minds_hiss_less(spoken: RealClips, readers: Readers) -> None:
    hissing = noisy(spoken.mel, (15.0, 15.0))
    errors = []
    for reader in (readers.speech, readers.listener):
        clean = reader.with_mouth_of(readers.speech.read(spoken.mel[:8]), spoken.mel[:8])
        rough = reader.with_mouth_of(readers.speech.read(hissing[:8]), hissing[:8])
        errors.append(float(np.abs(clean.mouth[..., 0] - rough.mouth[..., 0]).mean()))
    assert errors[1] < errors[0]


def test_hearing_is_observing_the_same_pictures_with_other_sound(
    spoken: RealClips, readers: Readers, real: Observation
) -> None:
    order = np.roll(np.arange(8), 1)
    few = real.select(np.arange(8))
    heard = few.hearing(spoken.mel[order], readers, spoken.waveform[order])
    wanted = observe(spoken.frames[:8], spoken.mel[order], readers, spoken.waveform[order])
    np.testing.assert_array_equal(heard.windows.joint, wanted.windows.joint)
    np.testing.assert_array_equal(heard.level_db, wanted.level_db)
    np.testing.assert_array_equal(heard.centroid_hz, wanted.centroid_hz)
    np.testing.assert_array_equal(heard.judged.net_heard, wanted.judged.net_heard)
    np.testing.assert_array_equal(heard.judged.cca_seen, wanted.judged.cca_seen)
    assert heard.speech.phones == wanted.speech.phones
    assert heard.sound is not None
    assert wanted.sound is not None
    np.testing.assert_array_equal(heard.sound.pitch_hz, wanted.sound.pitch_hz)
    assert heard.chunk_s == few.chunk_s
    assert few.hearing(spoken.mel[order], readers).sound is None
