from __future__ import annotations

import numpy as np
import pytest

from mfbench.character.lexicon import LEXICON
from mfbench.character.voices import VOICES, voice_descriptor
from mfbench.data.talking_character import PRESETS, CharacterArrays, TalkingCharacter

SECONDS = 1.28


@pytest.fixture(scope="module")
def arrays() -> CharacterArrays:
    return TalkingCharacter(seconds=SECONDS).arrays("test", 3, SECONDS)


def test_shapes(arrays: CharacterArrays) -> None:
    assert arrays.face.shape == (3, 16, 34)
    assert arrays.waveform.shape == (3, 20480)
    assert arrays.words.shape == (3, 4, 4)
    assert arrays.reference_voice.shape == (3, 5)
    assert arrays.voice.shape == arrays.identity.shape == (3,)
    assert len(arrays.timelines) == 3
    assert [a.dtype for a in (arrays.face, arrays.waveform, arrays.reference_voice)] == [np.float32] * 3
    assert [a.dtype for a in (arrays.words, arrays.voice, arrays.identity)] == [np.int64] * 3


def test_conditions_belong_to_their_clips(arrays: CharacterArrays) -> None:
    for row in range(3):
        np.testing.assert_array_equal(
            arrays.reference_voice[row], voice_descriptor(VOICES[arrays.voice[row]])
        )
        listed = set(arrays.words[row].ravel().tolist()) - {0}
        assert {(word - 1) % len(LEXICON) for word in listed} == set(arrays.timelines[row].word_ids)


def test_more_clips_begin_with_the_same_ones(arrays: CharacterArrays) -> None:
    fewer = TalkingCharacter(seconds=SECONDS).arrays("test", 2, SECONDS)
    np.testing.assert_array_equal(fewer.waveform, arrays.waveform[:2])


def test_any_number_of_workers_makes_the_same(arrays: CharacterArrays) -> None:
    parallel = TalkingCharacter(seconds=SECONDS).arrays("test", 3, SECONDS, workers=2)
    np.testing.assert_array_equal(parallel.face, arrays.face)
    np.testing.assert_array_equal(parallel.waveform, arrays.waveform)
    assert parallel.timelines == arrays.timelines


def test_another_seed_is_another_world(arrays: CharacterArrays) -> None:
    other = TalkingCharacter(seconds=SECONDS, seed=1).arrays("test", 3, SECONDS)
    assert not np.array_equal(other.waveform, arrays.waveform)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_fit_the_clip_length(preset: str) -> None:
    assert TalkingCharacter(preset=preset).spec.duration_s == 5.12


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'pixel128'.*motion, latent32"):
        TalkingCharacter(preset="pixel128")
