from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from light_views import measured, seen

from mfbench.character.timeline import Timeline
from mfbench.metrics.base import Prompts
from mfbench.metrics.drift import WINDOW_S
from mfbench.metrics.drift_phones import error_rates, window_rates
from mfbench.metrics.phone_places import PlacedPhones
from mfbench.registry import METRICS

WINDOWS, PER_WINDOW = 5, 20
NAMES = ("a", "i", "u", "s")
SAID = tuple(NAMES[k * k % 4] + NAMES[k % 3] for k in range(WINDOWS * PER_WINDOW))
ONSETS_S = (np.arange(WINDOWS * PER_WINDOW) + 0.5) * WINDOW_S / PER_WINDOW
WRONG = "x"


def text(stretch: float = 1.0) -> Timeline:
    """What is asked, spoken at an even pace in as long as that; phones carry made-up names."""
    edges = np.append(ONSETS_S, WINDOWS * WINDOW_S) * stretch
    phones = tuple((name, float(a), float(b)) for name, a, b in zip(SAID, edges, edges[1:], strict=False))
    return Timeline((("SIL", 0.0, float(edges[0])), *phones), (), WINDOWS * WINDOW_S * stretch)


def asked(*timelines: Timeline | None) -> Prompts:
    none = np.zeros(len(timelines), np.int64)
    return Prompts(timelines, none, none, np.arange(len(timelines)), none)


def spoken(*clips: list[tuple[str, float]]) -> Any:
    names = tuple(tuple(name for name, _ in clip) for clip in clips)
    onsets = tuple(tuple(t for _, t in clip) for clip in clips)
    return seen(len(clips), duration_s=25.6, speech={"phones": names, "phone_onsets_s": onsets})


def with_errors(counts: list[int]) -> list[tuple[str, float]]:
    """The text with so many wrong phones per window."""
    wrong = {w * PER_WINDOW + 2 * k for w, count in enumerate(counts) for k in range(count)}
    return [(WRONG if k in wrong else SAID[k], float(t)) for k, t in enumerate(ONSETS_S)]


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 3), step=st.integers(0, 1))
def test_a_ramp_of_errors_has_its_slope_and_a_constant_none(first: int, step: int) -> None:
    counts = [first + step * w for w in range(WINDOWS)]
    found = measured(
        "drift_per", spoken(with_errors(counts), with_errors([first] * 5)), asked(text(), text())
    )
    assert found.per_clip == pytest.approx([10 * step / PER_WINDOW / WINDOW_S, 0.0], abs=1e-9)
    found = measured("drift_per", spoken(with_errors(counts[::-1])), asked(text()))
    assert found.value == pytest.approx(-10 * step / PER_WINDOW / WINDOW_S, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(stretch=st.floats(0.3, 3), lead_s=st.floats(-0.8, 0.8), window=st.integers(0, 4))
def test_the_times_of_the_text_do_not_count(stretch: float, lead_s: float, window: int) -> None:
    """Only what is heard has times: windows hold what was heard in them."""
    counts = [5 if w == window else 0 for w in range(WINDOWS)]
    heard = with_errors(counts)
    rates = window_rates(spoken(heard), (text(stretch),))
    np.testing.assert_allclose(rates, [[c / PER_WINDOW for c in counts]])
    moved = [(name, float(np.clip(t + lead_s, 0, 25.6))) for name, t in heard]
    rates = window_rates(spoken(moved), (text(stretch),))
    assert rates.sum() == pytest.approx(5 / PER_WINDOW, rel=0.25)


def test_a_film_that_falls_silent_has_errors_from_then_on() -> None:
    silent = [phone for phone in with_errors([0] * 5) if phone[1] < 2 * WINDOW_S]
    rates = window_rates(spoken(silent), (text(),))
    np.testing.assert_allclose(rates[0], [0, 0, 1, 1, 1], atol=0.051)
    slope = np.polyfit(np.arange(5) * WINDOW_S, [0, 0, 1, 1, 1], 1)[0] * 10
    assert measured("drift_per", spoken(silent), asked(text())).value == pytest.approx(slope, rel=0.1)


def test_babble_after_the_last_word_is_an_error_but_not_an_endless_one() -> None:
    wanted = np.arange(40) / 40 * 2 * WINDOW_S
    babble = np.linspace(2 * WINDOW_S, 5 * WINDOW_S, 60, endpoint=False)
    rates = error_rates(PlacedPhones(wanted, babble), WINDOWS)
    usual = 0.5 * 40 / 5
    np.testing.assert_allclose(rates, [0, 0, 20 / usual, 20 / usual, 20 / usual])
    quiet = error_rates(PlacedPhones(wanted, np.zeros(0)), WINDOWS)
    np.testing.assert_array_equal(quiet, [0, 0, np.nan, np.nan, np.nan])
    assert np.isnan(error_rates(PlacedPhones(np.zeros(0), babble), WINDOWS)).all()


@given(
    wanted=st.lists(st.floats(0, 25.5), min_size=1, max_size=60),
    errors=st.lists(st.floats(0, 25.5), max_size=60),
)
def test_rates_are_shares_of_what_was_wanted(wanted: list[float], errors: list[float]) -> None:
    rates = error_rates(PlacedPhones(np.sort(wanted), np.sort(errors)), WINDOWS)
    known = rates[np.isfinite(rates)]
    assert (known >= 0).all()
    assert known.sum() <= len(errors) / (0.5 * max(1.0, len(wanted) / WINDOWS)) + 1e-9
    assert (np.nan_to_num(rates).sum() > 0) == (len(errors) > 0)


def test_without_a_text_or_time_there_is_no_drift() -> None:
    view = spoken(with_errors([1] * 5), with_errors([1] * 5))
    found = measured("drift_per", view, asked(text(), None))
    assert found.per_clip == [pytest.approx(0, abs=1e-9), None]
    view.duration_s = 15.0
    assert measured("drift_per", view, asked(text(), text())).status == "not_applicable"
    metric = METRICS.get("drift_per")
    assert metric.needs == ("character", "sound", "words")
    assert (metric.unit, metric.least_clips, metric.least_s) == ("share/10 s", 16, 15.36)
