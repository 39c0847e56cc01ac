"""The arithmetic of the examination, by closed forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.bench.judging.check import Check, above, at_least, at_most, info
from mfbench.bench.judging.nuisances import at_rate, through_codec, with_opening
from mfbench.bench.judging.sync_checks import Anchors, at_zero, auc, falling, jittered, partly, strangers
from mfbench.bench.judging.takes import MARGIN_S, Takes, within
from mfbench.character.face import MOTION_PARAMETERS
from mfbench.character.timeline import Timeline
from mfbench.mel import SAMPLE_RATE_HZ

SMALL = st.lists(st.integers(-5, 5), min_size=1, max_size=8)
SECONDS = 2.56


def takes(voices: list[int], sound: np.ndarray | None = None) -> Takes:
    count = len(voices)
    samples = round((SECONDS + 2 * MARGIN_S) * SAMPLE_RATE_HZ)
    ramp = np.arange(samples, dtype=np.float64)[None] + np.zeros((count, 1))
    return Takes(
        face=np.zeros((count, round(SECONDS * 25), 34), np.float32),
        surrounding=ramp if sound is None else sound,
        voice=np.array(voices),
        identity=np.zeros(count, np.int64),
        timelines=(),
    )


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        (at_least("x", 1.0, 1.0), True),
        (at_least("x", 0.999, 1.0), False),
        (at_most("x", 1.0, 1.0), True),
        (at_most("x", 1.001, 1.0), False),
        (above("x", 1.0, 1.0), False),
        (above("x", 1.001, 1.0), True),
        (above("x", float("inf"), 0.0), True),
        (above("x", float("-inf"), 0.0), False),
        (at_least("x", float("nan"), 1.0), False),
        (at_most("x", float("nan"), 1.0), False),
        (above("x", float("nan"), 1.0), False),
        (info("x", 3.0), True),
        (info("x", float("nan")), True),
    ],
)
def test_what_passes(check: Check, passed: bool) -> None:
    assert check.passed is passed
    assert check.to_json()["pass"] is passed


@given(higher=SMALL, lower=SMALL)
def test_auc_is_the_share_of_pairs_with_ties_half(higher: list[int], lower: list[int]) -> None:
    wins = [(a > b) + 0.5 * (a == b) for a, b in product(higher, lower)]
    found = auc(np.array(higher, np.float32), np.array(lower, np.float32))
    assert found == pytest.approx(sum(wins) / len(wins))


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([5, 4, 2, 0], 1.0),
        ([5, 5, 2, 2], 1.0),
        ([0, 1, 2, 3], 0.0),
        ([2, 2, 2, 2], 0.0),
        ([3, 1, 2, 0], 0.9),  # 1 and 2 are pooled: 0.5 of a spread of 5 is missed
        ([0, 3, 3, 0], 1 / 3),  # pooled to 2, 2, 2, 0: 6 of 9
    ],
)
def test_how_much_falls(values: list[float], share: float) -> None:
    assert falling(np.array(values, np.float64)) == pytest.approx(share, abs=1e-9)


@given(values=st.lists(st.integers(-20, 20), min_size=3, max_size=8), scale=st.floats(0.1, 10))
def test_falling_is_a_share_whatever_the_scale(values: list[int], scale: float) -> None:
    found = falling(np.array(values, np.float64))
    assert -1e-9 <= found <= 1 + 1e-9
    assert falling(scale * np.array(values, np.float64) + 3) == pytest.approx(found, abs=1e-6)
    assert falling(np.sort(values)[::-1].astype(np.float64)) == pytest.approx(float(np.ptp(values) > 0))


@given(dose=st.floats(0, 1))
def test_the_last_part_is_a_strangers(dose: float) -> None:
    right, wrong = np.zeros((2, 1000), np.float32), np.ones((2, 1000), np.float32)
    found = partly(right, wrong, dose)
    assert found.shape == right.shape
    assert found.mean() == pytest.approx(dose, abs=1e-3)
    assert (np.diff(found, axis=1) >= 0).all()


def test_sound_wanders_by_its_reach() -> None:
    ramp = takes([0, 1])
    np.testing.assert_array_equal(jittered(ramp, 0.0), ramp.sound())
    moved_s = (jittered(ramp, 60.0) - ramp.sound()) / SAMPLE_RATE_HZ
    times = np.arange(moved_s.shape[1]) / SAMPLE_RATE_HZ
    np.testing.assert_allclose(moved_s[0], 0.06 * np.sin(2 * np.pi * times / 2.56), atol=1e-5)
    assert moved_s.max() == pytest.approx(0.06, abs=1e-4)


@pytest.mark.parametrize("lead_ms", [-400.0, -20.0, 0.0, 120.0, 400.0])
def test_sound_that_leads_is_what_comes_later(lead_ms: float) -> None:
    ramp = takes([0])
    found = ramp.sound(lead_ms)
    assert found.shape == (1, round(SECONDS * SAMPLE_RATE_HZ))
    assert found[0, 0] == round((MARGIN_S + lead_ms / 1000) * SAMPLE_RATE_HZ)
    assert (np.diff(found) == 1).all()
    assert ramp.seconds == pytest.approx(SECONDS)


def test_strangers_have_the_same_voice_where_there_is_one() -> None:
    assert strangers(takes([0, 1, 0, 1, 2])).tolist() == [2, 3, 0, 1, 0]
    assert strangers(takes([0, 0, 0])).tolist() == [1, 2, 0]


@given(voices=st.lists(st.integers(0, 3), min_size=2, max_size=12))
def test_no_clip_is_its_own_stranger(voices: list[int]) -> None:
    found = strangers(takes(voices))
    for clip, other in enumerate(found):
        assert other != clip
        assert (voices[other] == voices[clip]) == (voices.count(voices[clip]) > 1)


def film(count: int) -> np.ndarray:
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[None, :, None, None, None], (1, count, 2, 2, 3))


@pytest.mark.parametrize("fps", [12.5, 24.0, 25.0, 30.0, 50.0])
def test_films_of_other_rates(fps: float) -> None:
    found = at_rate(film(100), fps)[0, :, 0, 0, 0]
    assert len(found) == 100
    for k, shown in enumerate(found.tolist()):
        slot = (Fraction(2 * k + 1, 2) * Fraction(fps) / 25).__floor__()
        source = ((slot + Fraction(1, 2)) * 25 / Fraction(fps)).__floor__()
        assert shown == min(source, 99)
        assert abs(shown - k) <= 1
    if fps in (25.0, 50.0):
        assert found.tolist() == list(range(100))
    if fps == 12.5:
        assert found.tolist() == [2 * (k // 2) + 1 for k in range(100)]
    if fps == 24.0:
        assert len(set(found.tolist())) == 96


def test_phones_and_words_whose_middle_lies_within() -> None:
    timeline = Timeline(
        phones=(("SIL", 0.0, 0.4), ("M", 0.4, 0.6), ("AA", 0.6, 1.0), ("SIL", 1.0, 3.0)),
        words=((7, 0.4, 1.0), (3, 1.2, 1.6)),
        duration_s=3.0,
    )
    found = within(timeline, 0.5, 1.4)
    assert found.phones == (("M", pytest.approx(-0.1), pytest.approx(0.1)), ("AA", pytest.approx(0.1), 0.5))
    assert [index for index, _, _ in found.words] == [7]
    assert found.words[0][1:] == pytest.approx((-0.1, 0.5))
    assert found.duration_s == pytest.approx(0.9)
    whole = within(timeline, 0.0, 3.0)
    assert (whole.phones, whole.words) == (timeline.phones, timeline.words)


def test_only_the_opening_is_replaced() -> None:
    some = takes([0, 1, 2])
    found = with_opening(some, lambda clip, frames: np.full(frames, clip / 10, np.float32))
    index = MOTION_PARAMETERS.index("open")
    np.testing.assert_allclose(found[..., index].mean(1), [0, 0.1, 0.2])
    assert np.delete(found, index, axis=2).max() == 0
    assert some.face.max() == 0  # the takes themselves stay


def test_a_codec_keeps_the_film_and_costs_more_at_lower_quality() -> None:
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.normal(0, 1, (1, 8, 64, 64, 3)), 2), 3)
    pictures = (128 + 100 * smooth / np.abs(smooth).max()).astype(np.uint8)
    errors = []
    for quality in (18, 36):
        coded = through_codec(pictures, quality)
        assert (coded.shape, coded.dtype) == (pictures.shape, np.uint8)
        errors.append(np.abs(coded.astype(float) - pictures).mean())
    assert 0 < errors[0] < errors[1] < 15


def test_anchors_and_the_middle_of_curves() -> None:
    assert Anchors(real=0.8, null=0.2, null_sd=0.1).reach == pytest.approx(0.6)
    curves = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert at_zero(curves).tolist() == [2, 7, 12]
