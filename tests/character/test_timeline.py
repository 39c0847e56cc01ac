from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfbench.character.lexicon import LEXICON
from mfbench.character.phones import BILABIALS
from mfbench.character.streams import stream
from mfbench.character.timeline import Timeline, script, spoken_script

timelines = st.builds(
    lambda seed, chunks, rate: script(stream(seed, "train", 0, "script"), 0.32 * chunks, rate),
    st.integers(0, 2**31),
    st.integers(4, 40),
    st.floats(0.95, 1.1),
)


@given(timelines)
@settings(max_examples=50, deadline=None)
def test_phones_tile_the_clip(timeline: Timeline) -> None:
    assert timeline.phones[0][1] == 0.0
    assert timeline.phones[-1][2] == timeline.duration_s
    for (_, start, end), (_, following, _) in zip(timeline.phones, timeline.phones[1:], strict=False):
        assert start < end == following


@given(timelines)
@settings(max_examples=50, deadline=None)
def test_words_are_their_phones_in_order(timeline: Timeline) -> None:
    for index, start, end in timeline.words:
        inside = [name for name, begin, stop in timeline.phones if begin >= start and stop <= end]
        assert tuple(inside) == LEXICON[index].phones
    assert timeline.spoken == tuple(p for i in timeline.word_ids for p in LEXICON[i].phones)


@given(timelines)
@settings(max_examples=50, deadline=None)
def test_every_second_holds_speech_after_a_short_silence(timeline: Timeline) -> None:
    spoken = [(start, end) for name, start, end in timeline.phones if name != "SIL"]
    assert 0.05 < spoken[0][0] < 0.3
    # the least of a sum of clipped ramps lies at one of their corners
    corners = [at for start, end in spoken for at in (start - 1, start, end - 1, end)]
    for begin in (at for at in corners if 0 <= at <= timeline.duration_s - 1):
        assert sum(max(0.0, min(end, begin + 1) - max(start, begin)) for start, end in spoken) > 0.3


@given(timelines)
@settings(max_examples=50, deadline=None)
def test_bilabials_last_a_tenth_of_a_second(timeline: Timeline) -> None:
    """Longer than a frame at 12.5 fps, so that one falls inside; the smoothed lips meet for less of it."""
    assert all(end - start >= 0.1 for name, start, end in timeline.phones if name in BILABIALS)


@given(timelines)
@settings(max_examples=20, deadline=None)
def test_json_keeps_everything(timeline: Timeline) -> None:
    assert Timeline.from_json(json.loads(json.dumps(timeline.to_json()))) == timeline


def test_given_words_are_spoken() -> None:
    timeline = spoken_script((3, 17, 3), stream(0, "test", 0, "probe"), rate=1.0)
    assert timeline.word_ids == (3, 17, 3)
    assert timeline.phones[-1][2] == pytest.approx(timeline.duration_s)


def test_every_word_is_drawn_about_equally_often() -> None:
    counts = [0] * len(LEXICON)
    for index in range(60):
        for word in script(stream(0, "train", index, "script"), 5.12, 1.0).word_ids:
            counts[word] += 1
    expected = sum(counts) / len(counts)
    assert max(counts) < 1.7 * expected
    assert min(counts) > 0.4 * expected
