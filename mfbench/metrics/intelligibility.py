"""Whether what was asked for is what is said."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from mfbench.metrics.base import Metric, Prompts, RatioScores, Scores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS


def edit_distance(wanted: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Fewest substitutions, deletions and insertions that turn one sequence into the other (Levenshtein)."""
    previous = list(range(len(found) + 1))
    for i, item in enumerate(wanted, 1):
        row = [i]
        for j, other in enumerate(found, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (item != other)))
        previous = row
    return previous[-1]


def error_scores(
    wanted: Sequence[Sequence[Hashable]], found: Sequence[Sequence[Hashable]], observation: Observation
) -> Scores:
    """Corpus-level error rate: all errors over all wanted items, so long clips weigh more."""
    errors = np.array([edit_distance(a, b) for a, b in zip(wanted, found, strict=True)], dtype=np.float64)
    lengths = np.array([len(a) for a in wanted], dtype=np.float64)
    return RatioScores(observation.intact & (lengths > 0), errors, lengths)


@METRICS.register_module(name="per")
class PhoneErrorRate(Metric):
    """Phone error rate of a phone-loop reader; real clips have a few percent, see the real row."""

    name = "per"
    unit = "share"
    higher_is_better = False
    null_by_shuffling = True
    low, worst = 0.0, 1.0
    least_clips = 64
    needs = ("character", "sound", "words")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Errors and wanted phones per clip."""
        del reference
        wanted = [() if timeline is None else timeline.spoken for timeline in prompts.timelines]
        return error_scores(wanted, candidate.speech.phones, candidate)

    @staticmethod
    def self_test() -> None:
        """One substitution, one deletion, one insertion."""
        if edit_distance("abcd", "axcde") != 2 or edit_distance("abc", "") != 3:
            raise AssertionError("the edit distance of known edits is wrong")


@METRICS.register_module(name="wer_lite")
class WordErrorRate(Metric):
    """Word error rate of a reader that knows the closed lexicon."""

    name = "wer_lite"
    unit = "share"
    higher_is_better = False
    null_by_shuffling = True
    low, worst = 0.0, 1.0
    least_clips = 64
    needs = ("character", "sound", "words")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Errors and wanted words per clip."""
        del reference
        wanted = [() if timeline is None else timeline.word_ids for timeline in prompts.timelines]
        return error_scores(wanted, candidate.speech.words, candidate)
