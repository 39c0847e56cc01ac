from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.character.lexicon import LEXICON
from mfbench.character.streams import stream
from mfbench.character.timeline import Timeline, script
from mfbench.character.voices import VOICES
from mfbench.data.conditions import AGES, SLOTS, word_slots

CHUNK_S = 0.25
UNIT_S = 1 / 64  # binary fractions, so that borders compare exactly
CHUNKS = 8


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Words of 0.19 to 0.9 s with pauses in a clip of 2 s; borders may coincide."""
    now, words = draw(st.integers(0, 12)), []
    while True:
        length = draw(st.integers(12, 58))
        if (now + length) * UNIT_S > CHUNKS * CHUNK_S:
            break
        words.append((draw(st.integers(0, len(LEXICON) - 1)), now * UNIT_S, (now + length) * UNIT_S))
        now += length + draw(st.integers(0, 20))
    return Timeline((), tuple(words), CHUNKS * CHUNK_S)


@given(timelines())
def test_a_word_stands_from_one_chunk_before_its_onset_to_its_end(timeline: Timeline) -> None:
    expected: list[list[int]] = [[] for _ in range(CHUNKS)]
    for index, start, end in timeline.words:
        first, last = math.floor(start / CHUNK_S) - 1, math.ceil(end / CHUNK_S) - 1
        for chunk in range(max(first, 0), last + 1):
            age = min(chunk - first, AGES - 1)
            expected[chunk].append(1 + index + len(LEXICON) * age)
    slots = word_slots(timeline, CHUNK_S, CHUNKS)
    assert slots.shape == (CHUNKS, 4)
    assert slots.dtype == np.int64
    assert [[int(i) for i in row if i] for row in slots] == expected


@given(timelines())
def test_padding_comes_last(timeline: Timeline) -> None:
    for row in word_slots(timeline, CHUNK_S, CHUNKS):
        filled = np.count_nonzero(row)
        assert (row[:filled] > 0).all()
        assert (row[filled:] == 0).all()


@pytest.mark.parametrize("rate", sorted({voice.rate for voice in VOICES}))
def test_spoken_words_always_fit_the_slots(rate: float) -> None:
    """A chunk and the next one touch at most 4 words: 3 in full do not fit between the first and last."""
    shortest = min(word.duration_s for word in LEXICON) * 0.85 / rate
    assert (SLOTS - 1) * shortest > 2 * 0.32
    for index in range(40):
        timeline = script(stream(0, "train", index, "script"), 5.12, rate)
        word_slots(timeline, 0.32, 16)


def test_too_many_words_are_refused() -> None:
    crowd = tuple((i, 0.05 * i, 0.05 * i + 0.05) for i in range(5))
    with pytest.raises(ValueError, match=r"chunk 0 .* needs 5 word slots and has 4"):
        word_slots(Timeline((), crowd, 0.25), CHUNK_S, 1)
