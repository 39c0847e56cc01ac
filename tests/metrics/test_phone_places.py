from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfbench.metrics import phone_places
from mfbench.metrics.intelligibility import edit_distance
from mfbench.metrics.phone_places import PlacedPhones, place_errors

SECONDS = 20.0
TEXT = st.text("abcd", max_size=25)


def spread(count: int, seed: int = 0) -> list[float]:
    return sorted(np.random.default_rng([count, seed]).uniform(0, SECONDS, count).tolist())


def placed(wanted: str, expected_s: list[float], heard: str, onsets_s: list[float]) -> PlacedPhones:
    return place_errors(wanted, expected_s, heard, onsets_s, SECONDS)


@given(wanted=TEXT, heard=TEXT, seed=st.integers(0, 99))
def test_as_many_errors_as_edits(wanted: str, heard: str, seed: int) -> None:
    found = placed(wanted, spread(len(wanted), seed), heard, spread(len(heard), seed + 1))
    assert len(found.errors_s) == edit_distance(wanted, heard)
    assert len(found.wanted_s) == len(wanted)
    for times in (found.errors_s, found.wanted_s):
        assert (np.diff(times) >= -1e-9).all()
        assert ((times >= 0) & (times <= SECONDS)).all()


@settings(max_examples=60, deadline=None)
@given(wanted=TEXT, heard=TEXT, most=st.integers(4, 60))
def test_long_texts_are_cut_without_another_result(wanted: str, heard: str, most: int) -> None:
    times = spread(len(wanted)), spread(len(heard), 1)
    whole = placed(wanted, times[0], heard, times[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone_places, "MOST_CELLS", most)
        cut = placed(wanted, times[0], heard, times[1])
    np.testing.assert_allclose(cut.wanted_s, whole.wanted_s)
    np.testing.assert_allclose(cut.errors_s, whole.errors_s)


def best(wanted: str, expected: list[float], heard: str, onsets: list[float]) -> tuple[int, float]:
    """Fewest errors and, with them, the least sum of distances in time of all pairs, by trying everything."""

    @cache
    def rest(i: int, j: int) -> tuple[int, float]:
        if i == len(wanted) or j == len(heard):
            return len(wanted) - i + len(heard) - j, 0.0
        errors, apart = rest(i + 1, j + 1)
        pair = (errors + (wanted[i] != heard[j]), apart + abs(expected[i] - onsets[j]))
        left = [(e + 1, a) for e, a in (rest(i + 1, j), rest(i, j + 1))]
        return min(pair, *left, key=lambda found: (found[0], round(found[1], 9)))

    return rest(0, 0)


@settings(max_examples=100, deadline=None)
@given(wanted=st.text("ab", max_size=9), heard=st.text("ab", max_size=9), seed=st.integers(0, 999))
def test_ties_are_decided_by_the_expected_times(wanted: str, heard: str, seed: int) -> None:
    expected, onsets = spread(len(wanted), seed), spread(len(heard), seed + 1)
    asked = phone_places._Text(np.array([ord(c) for c in wanted], np.int64), np.array(expected) / SECONDS)
    found = phone_places._Text(np.array([ord(c) for c in heard], np.int64), np.array(onsets) / SECONDS)
    partners = phone_places._partners(asked, found, phone_places._scale(asked, found))
    pairs = [(i, j) for i, j in enumerate(partners) if j >= 0]
    wrong = sum(wanted[i] != heard[j] for i, j in pairs)
    errors = wrong + len(wanted) + len(heard) - 2 * len(pairs)
    apart = sum(abs(expected[i] - onsets[j]) for i, j in pairs)
    assert (errors, pytest.approx(apart, abs=1e-6)) == best(wanted, expected, heard, onsets)


def test_each_kind_of_error_has_its_time() -> None:
    found = placed("abcde", [1, 2, 4, 6, 9], "axdye", [1.5, 3.0, 8.0, 8.5, 10.0])
    # b was heard as x, c was left out between x and d, y was put in, each at or between what was heard
    np.testing.assert_allclose(found.wanted_s, [1.5, 3.0, 3.0 + 5.0 * (4 - 2) / (6 - 2), 8.0, 10.0])
    np.testing.assert_allclose(found.errors_s, [3.0, 5.5, 8.5])


def test_a_film_that_falls_silent_has_its_errors_where_it_is_silent() -> None:
    wanted = "abac" * 20  # a few of them are found anywhere in the text
    expected = np.linspace(0.1, 19.9, 80)
    said = placed(wanted, expected.tolist(), wanted[:20], (expected[:20] + 0.3).tolist())
    assert len(said.errors_s) == 60
    assert said.errors_s.min() > expected[19]
    np.testing.assert_allclose(said.errors_s, expected[20:], atol=0.31)
    late = placed(wanted, expected.tolist(), wanted[60:], (expected[60:] - 0.3).tolist())
    assert len(late.errors_s) == 60
    assert late.errors_s.max() < expected[60]


def test_nothing_heard_is_all_left_out_when_it_was_due_and_nothing_wanted_all_too_much() -> None:
    silent = placed("abc", [2, 4, 6], "", [])
    np.testing.assert_allclose(silent.wanted_s, [2, 4, 6])
    np.testing.assert_allclose(silent.errors_s, [2, 4, 6])
    babble = placed("", [], "ab", [3, 5])
    assert len(babble.wanted_s) == 0
    np.testing.assert_allclose(babble.errors_s, [3, 5])


def test_long_texts_need_no_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[int] = []
    table = phone_places._table

    def counted(asked: phone_places._Text, found: phone_places._Text, weight: float) -> np.ndarray:
        cells.append(len(asked.phones) * len(found.phones))
        return table(asked, found, weight)

    monkeypatch.setattr(phone_places, "_table", counted)
    rng = np.random.default_rng(0)
    wanted = "".join(rng.choice(list("abcdefgh"), 2000))
    heard = "".join(c if rng.random() < 0.9 else "x" for c in wanted if rng.random() < 0.95)
    found = placed(wanted, spread(2000), heard, spread(len(heard)))
    assert len(found.errors_s) == edit_distance(wanted, heard)
    assert max(cells) <= phone_places.MOST_CELLS
    assert len(cells) == 4
