"""When the errors of a spoken text happened: the wanted phones laid along the phones that were heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Double = NDArray[np.float64]

MOST_CELLS = 2**18  # of a table; a longer text is cut in two where its best alignment passes
_BOTH, _WANTED, _HEARD = 0, 1, 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class PlacedPhones:
    """Of one clip, in seconds.

    Attributes:
        wanted_s: when every wanted phone was said, or should have been, [wanted].
        errors_s: when every substitution, deletion and insertion happened, [errors].
    """

    wanted_s: Double
    errors_s: Double


@dataclass(frozen=True)
class _Text:
    """Phones as numbers, and their times as shares of the clip."""

    phones: NDArray[np.int64]
    times: Double

    def part(self, cut: slice) -> _Text:
        return _Text(self.phones[cut], self.times[cut])


def place_errors(
    wanted: Sequence[str],
    expected_s: Sequence[float],
    heard: Sequence[str],
    onsets_s: Sequence[float],
    duration_s: float,
) -> PlacedPhones:
    """Align once over the whole clip and time every wanted phone and every error.

    Of all alignments with the fewest errors (Levenshtein) the one is taken whose pairs lie nearest to the
    expected times. That only decides ties, which are many when much is missing: without it the words before a
    film falls silent might be laid along phones of the end. A phone that was heard, right or wrong, has its
    onset; phones left out lie between the neighbours that were heard, or the ends of the clip, in proportion
    to the expected times.

    Args:
        wanted: names of the phones asked for.
        expected_s: about when, ascending within the clip; one per wanted phone.
        heard: names of the phones that were heard.
        onsets_s: of the heard phones.
        duration_s: of the clip.
    """
    names = {name: k for k, name in enumerate(dict.fromkeys([*wanted, *heard]))}
    asked = _Text(np.array([names[n] for n in wanted], np.int64), np.array(expected_s) / duration_s)
    found = _Text(np.array([names[n] for n in heard], np.int64), np.array(onsets_s) / duration_s)
    pairs = np.array(_partners(asked, found, _scale(asked, found)), dtype=np.int64)
    onsets = np.array(onsets_s, dtype=np.float64)
    wanted_s = _between(pairs, onsets, asked.times, duration_s)
    wrong = np.array([j < 0 or wanted[i] != heard[j] for i, j in enumerate(pairs)], dtype=np.bool_)
    inserted = np.setdiff1d(np.arange(len(heard)), pairs)
    return PlacedPhones(wanted_s, np.sort(np.concatenate([wanted_s[wrong], onsets[inserted]])))


def _between(pairs: NDArray[np.int64], onsets: Double, expected: Double, duration_s: float) -> Double:
    """Times of wanted phones; those without a partner lie between those that have one."""
    said = np.flatnonzero(pairs >= 0)
    at = np.concatenate([[0.0], expected[said], [1.0]])
    times = np.concatenate([[0.0], onsets[pairs[said]], [duration_s]])
    wanted_s = np.interp(expected, at, times)
    wanted_s[said] = times[1:-1]
    return np.asarray(wanted_s, dtype=np.float64)


def _scale(asked: _Text, found: _Text) -> float:
    """Weight of a distance in time, so small that all of them together weigh less than one error."""
    return 0.5 / (min(len(asked.phones), len(found.phones)) + 1)


def _partners(asked: _Text, found: _Text, weight: float) -> list[int]:
    """Place of every wanted phone among the heard ones, -1 where it was left out.

    Memory stays within `MOST_CELLS` however long the texts are: larger tables are cut where the best
    alignment passes their middle (Hirschberg 1975).
    """
    rows, columns = len(asked.phones), len(found.phones)
    if rows < 2 or rows * columns <= MOST_CELLS:
        return _traced(_table(asked, found, weight), rows, columns)
    middle = rows // 2
    head = _costs(asked.part(slice(middle)), found, weight)
    backwards = slice(None, None, -1)
    tail = _costs(asked.part(slice(middle, None)).part(backwards), found.part(backwards), weight)[::-1]
    cut = int((head + tail).argmin())
    first = _partners(asked.part(slice(middle)), found.part(slice(cut)), weight)
    rest = _partners(asked.part(slice(middle, None)), found.part(slice(cut, None)), weight)
    return [*first, *(j + cut if j >= 0 else j for j in rest)]


@dataclass(frozen=True)
class _Row:
    """Wanted phones so far against every beginning of the heard ones: costs, last steps, [heard + 1]."""

    costs: Double
    steps: NDArray[np.uint8]

    @classmethod
    def first(cls, found: _Text) -> _Row:
        """Nothing is wanted yet."""
        count = len(found.phones) + 1
        return cls(np.arange(count, dtype=np.float64), np.full(count, _HEARD, dtype=np.uint8))


def _next(above: Double, phone: int, time: float, found: _Text, weight: float) -> _Row:
    """One more wanted phone than the row with the costs `above`."""
    pair = above[:-1] + (found.phones != phone) + weight * np.abs(found.times - time)
    skip = above + 1.0
    best = skip.copy()
    best[1:] = np.minimum(skip[1:], pair)
    place = np.arange(len(best))
    costs = np.minimum.accumulate(best - place) + place  # any number of heard phones more than wanted
    step = np.full(len(best), _WANTED, dtype=np.uint8)
    step[1:][pair <= skip[1:]] = _BOTH
    step[costs < best - _ROUNDING] = _HEARD
    return _Row(np.asarray(costs, dtype=np.float64), step)


def _costs(asked: _Text, found: _Text, weight: float) -> Double:
    """Cost of all wanted phones against every beginning of the heard ones, [heard + 1]."""
    row = _Row.first(found)
    for phone, time in zip(asked.phones.tolist(), asked.times.tolist(), strict=True):
        row = _next(row.costs, phone, time, found, weight)
    return row.costs


def _table(asked: _Text, found: _Text, weight: float) -> NDArray[np.uint8]:
    """Last step to every pair of beginnings, [wanted + 1, heard + 1]."""
    row = _Row.first(found)
    steps = [row.steps]
    for phone, time in zip(asked.phones.tolist(), asked.times.tolist(), strict=True):
        row = _next(row.costs, phone, time, found, weight)
        steps.append(row.steps)
    return np.stack(steps)


def _traced(steps: NDArray[np.uint8], rows: int, columns: int) -> list[int]:
    """Partners along the best way back from the end of a table."""
    partners = [-1] * rows
    while rows > 0:
        step = steps[rows, columns]
        if step == _BOTH:
            partners[rows - 1] = columns - 1
        rows -= step != _HEARD
        columns -= step != _WANTED
    return partners
