from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_world import RealClips

from mfbench.metrics.intelligibility import PhoneErrorRate, WordErrorRate, edit_distance
from mfbench.metrics.observe import Observation

WORDS = st.lists(st.sampled_from("abc"), max_size=7)


@given(a=WORDS, b=WORDS, c=WORDS)
def test_edit_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    assert edit_distance(a, a) == 0
    assert edit_distance(a, b) == edit_distance(b, a)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@pytest.mark.parametrize(
    ("wanted", "found", "edits"),
    [("kitten", "sitting", 3), ("abcd", "acd", 1), ("acd", "abcd", 1), ("abcd", "abxd", 1), ("", "abc", 3)],
)
def test_known_edits(wanted: str, found: str, edits: int) -> None:
    assert edit_distance(wanted, found) == edits


def test_error_rates_are_of_the_corpus_and_not_means_of_clips(
    spoken: RealClips, real: Observation, reference: Observation
) -> None:
    wanted = [timeline.spoken for timeline in spoken.prompts.timelines]
    damaged = [phones[1:] for phones in wanted[:4]] + [(*phones, "AA") for phones in wanted[4:]]
    clips = replace(real, speech=replace(real.speech, phones=tuple(damaged)))
    result = PhoneErrorRate().compute(clips, reference, spoken.prompts)
    assert result.value == pytest.approx(len(wanted) / sum(len(phones) for phones in wanted))
    assert result.per_clip[0] == pytest.approx(1 / len(wanted[0]))


def test_words(spoken: RealClips, real: Observation, reference: Observation) -> None:
    wanted = tuple(timeline.word_ids for timeline in spoken.prompts.timelines)
    perfect = replace(real, speech=replace(real.speech, words=wanted))
    assert WordErrorRate().compute(perfect, reference, spoken.prompts).value == 0.0
    empty = replace(real, speech=replace(real.speech, words=((),) * real.clips))
    assert WordErrorRate().compute(empty, reference, spoken.prompts).value == 1.0
