from __future__ import annotations

import numpy as np
import pytest
from metric_world import FPS, RealClips

from mfbench.character.phones import PHONE_INDEX
from mfbench.character.timeline import Timeline
from mfbench.metrics.intelligibility import edit_distance
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.readers.speech import at_mel_rate, state_labels, with_context


def phone_errors(clips: RealClips, found: tuple[tuple[str, ...], ...]) -> float:
    wanted = [timeline.spoken for timeline in clips.prompts.timelines]
    errors = sum(edit_distance(a, b) for a, b in zip(wanted, found, strict=True))
    return errors / sum(len(a) for a in wanted)


def test_real_speech_is_read_in_voices_that_were_held_out_too(spoken: RealClips, real: Observation) -> None:
    assert phone_errors(spoken, real.speech.phones) < 0.1
    wanted = [timeline.word_ids for timeline in spoken.prompts.timelines]
    wrong = sum(a != b for a, b in zip(wanted, real.speech.words, strict=True))
    assert wrong <= 6


def test_onsets_are_in_order_and_near_the_truth(spoken: RealClips, real: Observation) -> None:
    onsets = real.speech.word_onsets_s[0]
    truth = [start for _, start, _ in spoken.prompts.timelines[0].words]
    assert list(onsets) == sorted(onsets)
    assert len(onsets) == len(truth)
    assert np.abs(np.array(onsets) - truth).max() < 0.08


def test_the_mouth_heard_is_the_mouth_made(spoken: RealClips, real: Observation) -> None:
    truth = at_mel_rate(spoken.face[..., :4], FPS, spoken.mel.shape[1])
    for channel, least in enumerate((0.95, 0.9, 0.88, 0.92)):
        found = np.corrcoef(real.speech.mouth[..., channel].ravel(), truth[..., channel].ravel())[0, 1]
        assert found > least


def test_errors_grow_with_noise(spoken: RealClips, readers: Readers) -> None:
    noise = np.random.default_rng(0).standard_normal(spoken.mel.shape)
    rates = [
        phone_errors(spoken, readers.speech.read((spoken.mel + s * noise).astype(np.float32)).phones)
        for s in (0.0, 1.5, 3.0, 6.0)
    ]
    assert rates == sorted(rates)
    assert rates[-1] > 0.4


def test_silence_says_nothing(readers: Readers) -> None:
    heard = readers.speech.read(np.full((1, 128, 64), np.log(1e-4), np.float32))
    assert heard.phones == ((),)
    assert heard.words == ((),)
    assert float(heard.speech.max()) < 0.1


def test_state_labels_count_thirds() -> None:
    timeline = Timeline((("SIL", 0.0, 0.06), ("AA", 0.06, 0.18), ("SIL", 0.18, 0.2)), (), 0.2)
    vowel = 3 * PHONE_INDEX["AA"]
    wanted = [0, 1, 2, vowel, vowel, vowel + 1, vowel + 1, vowel + 2, vowel + 2, 1]
    assert state_labels(timeline, 10).tolist() == wanted


def test_context_repeats_the_ends() -> None:
    mel = np.arange(3, dtype=np.float32)[None, :, None] * np.ones((1, 1, 64), np.float32)
    wide = with_context(mel).reshape(3, 5, 64)
    np.testing.assert_array_equal(wide[0, 0], wide[0, 2])
    np.testing.assert_array_equal(wide[0, 3], wide[1, 2])
    with pytest.raises(ValueError, match="wanted is"):
        with_context(mel[..., :10])


def test_interpolation_is_exact_on_lines() -> None:
    line = ((np.arange(64) + 0.5) / 12.5).astype(np.float32)[None, :, None]
    found = at_mel_rate(line, 12.5, 256)[0, :, 0]
    np.testing.assert_allclose(found[2:-2], ((np.arange(256) + 0.5) / 50)[2:-2], atol=1e-5)
