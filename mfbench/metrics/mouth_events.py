"""Moments of speech, seen and heard in the same clip: openings, closures, shapes of the mouth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.embedding import heard_at_frames
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.metrics.sync import has_speech_and_motion
from mfbench.registry import METRICS

CLOSURES = ("P", "B", "M")
_CLOSED = 0.2  # of the opening; a bilabial's target is 0, read with an error of some hundredths
_REACH_S = 0.04
_LONGEST_CLOSURE_S = 0.2  # a phone before a pause is read as lasting until the next one
_LEAST_ROOM = 0.1
_LEAST_ONSETS = 3
_NULL_SHIFTS = 8
_SHAPES = (0.2, 0.45)  # borders of the opening between closed, half open and open


@dataclass(frozen=True)
class Span:
    """So many frames from the first one on."""

    first: int
    frames: int


def onsets_s(opening: FloatArray, rate_hz: float) -> Double:
    """Times at which an opening track [time] crosses the middle of its range upwards, in seconds."""
    low, high = np.percentile(opening, (5, 95))
    above = opening - (low + high) / 2
    index = np.flatnonzero((above[:-1] < 0) & (above[1:] >= 0))
    part = above[index] / (above[index] - above[index + 1])
    return np.asarray((index + part + 0.5) / rate_hz, dtype=np.float64)


def matched_f1(a_s: Double, b_s: Double, tolerance_s: float) -> float:
    """F1 of the largest one-to-one matching of two sorted lists of times within a tolerance.

    On a line the earliest partner that is near enough is always part of a largest matching.
    """
    i = j = found = 0
    while i < len(a_s) and j < len(b_s):
        if abs(a_s[i] - b_s[j]) <= tolerance_s:
            found, i, j = found + 1, i + 1, j + 1
        elif a_s[i] < b_s[j]:
            i += 1
        else:
            j += 1
    return 2 * found / (len(a_s) + len(b_s)) if len(a_s) + len(b_s) else 0.0


def onset_agreement(seen: FloatArray, heard: FloatArray, frame_rate_hz: float, tolerance_s: float) -> float:
    """F1 of mouth openings of one clip, corrected for chance: 1 = all match, 0 = as if shifted at random.

    Chance is the mean over 8 circular shifts of what is heard. nan with fewer than 3 openings on a side, and
    where every shift fits, as with a mouth that opens and closes evenly.
    """
    duration_s = len(seen) / frame_rate_hz
    a_s, b_s = onsets_s(seen, frame_rate_hz), onsets_s(heard, MEL_RATE_HZ)
    if min(len(a_s), len(b_s)) < _LEAST_ONSETS:
        return float("nan")
    shifts_s = duration_s * (np.arange(_NULL_SHIFTS) + 1) / (_NULL_SHIFTS + 1)
    chance = np.mean([matched_f1(a_s, np.sort((b_s + s) % duration_s), tolerance_s) for s in shifts_s])
    if chance > 1 - 1e-9:
        return float("nan")
    return float((matched_f1(a_s, b_s, tolerance_s) - chance) / (1 - chance))


class _OnsetF1(Metric):
    """F1 of mouth openings seen and heard, corrected for chance."""

    higher_is_better = True
    null_by_shuffling = True
    high, worst = 1.0, 0.0
    least_s = 2.56
    tolerance_s: ClassVar[float]

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        values = [
            onset_agreement(seen, heard, candidate.frame_rate_hz, self.tolerance_s)
            for seen, heard in zip(candidate.face.motion[..., 0], candidate.speech.mouth[..., 0], strict=True)
        ]
        return MeanScores.of(np.where(_speaking(candidate), values, np.nan), candidate.intact)


@METRICS.register_module(name="onset_f1_40")
class OnsetF1At40(_OnsetF1):
    """F1 of mouth openings seen and heard within 40 ms of each other, corrected for chance."""

    name = "onset_f1_40"
    tolerance_s = 0.04


@METRICS.register_module(name="onset_f1_80")
class OnsetF1At80(_OnsetF1):
    """F1 of mouth openings seen and heard within 80 ms of each other, corrected for chance."""

    name = "onset_f1_80"
    tolerance_s = 0.08


@METRICS.register_module(name="closure_recall")
class ClosureRecall(Metric):
    """Share of the p, b and m heard during which the mouth is seen closed, corrected for chance."""

    name = "closure_recall"
    version = 2
    higher_is_better = True
    null_by_shuffling = True
    high, worst = 1.0, 0.0
    least_s = 2.56

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; clips without such a phone, silent or still ones have none."""
        del reference, prompts
        values = [_closures(candidate, clip) for clip in range(candidate.clips)]
        return MeanScores.of(np.where(_speaking(candidate), values, np.nan), candidate.intact)


def closure_agreement(closed: NDArray[np.bool_], spans: Sequence[Span]) -> float:
    """Share of spans of frames in which a mouth is closed once: 1 = in all, 0 = as if shifted at random.

    A mouth that speaks is closed so often that most spans of another clip find it closed, too. Chance is the
    mean over all circular shifts by at least a ninth of the clip either way. nan without spans, and where
    chance leaves less than a tenth, as with a mouth that hardly opens.

    Args:
        closed: whether the mouth is, per frame, [time].
        spans: within the clip, no longer than it.
    """
    frames = len(closed)
    if not spans:
        return float("nan")
    least = int(np.ceil(frames / (_NULL_SHIFTS + 1)))
    shifts = np.r_[0, least : frames - least + 1]
    found = np.array([_closed_in(closed, span)[(span.first + shifts) % frames] for span in spans]).mean(0)
    chance = found[1:].mean()
    return float((found[0] - chance) / (1 - chance)) if 1 - chance >= _LEAST_ROOM else float("nan")


def _closed_in(closed: NDArray[np.bool_], span: Span) -> NDArray[np.bool_]:
    """Whether the mouth closes in a span of that length from every frame on, around the end, [time]."""
    around = np.r_[closed, closed[: span.frames - 1]]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, span.frames).any(1))


def _closures(observation: Observation, clip: int) -> float:
    phones, starts_s = observation.speech.phones[clip], observation.speech.phone_onsets_s[clip]
    ends_s = (*starts_s[1:], observation.duration_s)[: len(starts_s)]  # none where nothing is said
    opening, rate_hz = observation.face.motion[clip, :, 0], observation.frame_rate_hz
    spans = []
    for name, start_s, end_s in zip(phones, starts_s, ends_s, strict=True):
        # frames whose middle is near enough
        first = max(int(np.ceil((start_s - _REACH_S) * rate_hz - 0.5)), 0)
        last = int(np.floor((min(end_s, start_s + _LONGEST_CLOSURE_S) + _REACH_S) * rate_hz - 0.5))
        if name in CLOSURES and first <= last < len(opening):
            spans.append(Span(first, last - first + 1))
    return closure_agreement(opening < _CLOSED, spans)


@METRICS.register_module(name="viseme_acc")
class VisemeAccuracy(Metric):
    """Share of speech in which the mouth seen is as open (closed, half, open) as the mouth heard."""

    name = "viseme_acc"
    unit = "share"
    higher_is_better = True
    null_by_shuffling = True
    low, high, worst = 0.0, 1.0, 0.0
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        seen = candidate.face.motion[..., 0]
        frames = seen.shape[1]
        heard = heard_at_frames(candidate.speech.mouth, candidate.frame_rate_hz, frames)[..., 0]
        spoken = candidate.speech.speech[..., None].repeat(2, axis=-1)
        speech = heard_at_frames(spoken, candidate.frame_rate_hz, frames)[..., 0] > 0.5
        same = (np.digitize(seen, _SHAPES) == np.digitize(heard, _SHAPES)) & speech
        values = same.sum(1) / np.maximum(speech.sum(1), 1)
        return MeanScores.of(np.where(_speaking(candidate), values, np.nan), candidate.intact)


def _speaking(observation: Observation) -> NDArray[np.bool_]:
    return has_speech_and_motion(observation.face.motion[..., :2], observation.speech.speech)
