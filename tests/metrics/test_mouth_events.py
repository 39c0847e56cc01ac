from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_world import FPS, RealClips
from scipy.optimize import linear_sum_assignment

from mfbench.metrics.mouth_events import Span, closure_agreement, matched_f1, onset_agreement, onsets_s
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.registry import METRICS

MOMENTS = st.lists(st.integers(0, 40), max_size=9).map(sorted)  # of 10 ms


def per_clip(name: str, seen: Observation, spoken: RealClips) -> np.ndarray:
    found = METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).per_clip
    return np.array([np.nan if value is None else value for value in found])


def chatter(seed: int, seconds: float, rate_hz: float) -> np.ndarray:
    """A smooth random opening, the same at any rate."""
    rng = np.random.default_rng(seed)
    times = (np.arange(round(seconds * rate_hz)) + 0.5) / rate_hz
    waves = zip(rng.uniform(1, 4, 12), rng.uniform(0, 2 * np.pi, 12), strict=True)
    return sum(np.sin(2 * np.pi * hz * times + phase) for hz, phase in waves).astype(np.float32)


@given(hz=st.floats(0.8, 3.0), phase=st.floats(0, 1), rate_hz=st.sampled_from([12.5, 25.0, 50.0]))
def test_onsets_of_a_sine_are_where_it_rises_through_its_middle(
    hz: float, phase: float, rate_hz: float
) -> None:
    times = (np.arange(round(8 * rate_hz)) + 0.5) / rate_hz
    found = onsets_s((0.5 + 0.4 * np.sin(2 * np.pi * (hz * times + phase))).astype(np.float32), rate_hz)
    cycles = hz * found + phase
    np.testing.assert_allclose(cycles, np.round(cycles), atol=0.06)  # ends move the middle a little
    assert abs(len(found) - 8 * hz) <= 1.5


def test_a_ramp_has_its_onset_between_frames() -> None:
    track = np.array([0, 0, 0, 0, 1, 1, 1, 1], np.float32)
    np.testing.assert_allclose(onsets_s(track, 10.0), [0.4])
    assert len(onsets_s(1 - track, 10.0)) == 0
    assert len(onsets_s(np.zeros(8, np.float32), 10.0)) == 0


@given(a=MOMENTS, b=MOMENTS, tolerance=st.integers(0, 8))
def test_f1_of_the_largest_matching(a: list[int], b: list[int], tolerance: int) -> None:
    found = matched_f1(np.array(a) / 100, np.array(b) / 100, tolerance / 100 + 1e-6)
    near = np.abs(np.subtract.outer(a, b)) <= tolerance
    rows, columns = linear_sum_assignment(near.reshape(len(a), len(b)), maximize=True)
    matched = near[rows, columns].sum() if len(a) and len(b) else 0
    assert found == pytest.approx(2 * matched / max(1, len(a) + len(b)))


def test_the_same_track_agrees_at_any_rate_and_unrelated_ones_do_as_by_chance() -> None:
    tracks = [(chatter(k, 10.24, 25.0), chatter(k, 10.24, MEL_RATE_HZ)) for k in range(60)]
    for tolerance_s in (0.04, 0.08):
        assert [onset_agreement(heard, heard, MEL_RATE_HZ, tolerance_s) for _, heard in tracks] == [1.0] * 60
        same = [onset_agreement(seen, heard, 25.0, tolerance_s) for seen, heard in tracks]
        assert np.mean(same) > 0.97  # openings that only one of the rates resolves
        others = [
            onset_agreement(tracks[k][0], tracks[(k + apart) % 60][1], 25.0, tolerance_s)
            for apart in range(1, 6)
            for k in range(60)
        ]
        assert abs(np.mean(others)) < 0.03
        assert max(others) < 0.7


def test_too_few_openings_and_a_rhythm_that_any_shift_fits_say_nothing() -> None:
    two = np.tile(np.r_[np.zeros(50), np.ones(50)], 2).astype(np.float32)
    assert np.isnan(onset_agreement(two, two, MEL_RATE_HZ, 0.04))
    nine = np.tile(np.r_[np.zeros(25), np.ones(25)], 9).astype(np.float32)  # shifts are whole periods
    assert np.isnan(onset_agreement(nine, nine, MEL_RATE_HZ, 0.04))


def test_real_clips_agree_and_a_late_sound_does_not(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    late = real.hearing(np.roll(spoken.mel, 6, axis=1), readers)  # 120 ms
    for name, least in (("onset_f1_40", 0.8), ("onset_f1_80", 0.85)):
        assert per_clip(name, real, spoken).mean() > least, name
        assert per_clip(name, late, spoken).mean() < 0.3, name


def with_opening(real: Observation, opening: np.ndarray) -> Observation:
    motion = real.face.motion.copy()
    motion[..., 0] = opening
    return replace(real, face=replace(real.face, motion=motion))


def test_mouths_close_at_closures_unless_they_stay_open(real: Observation, spoken: RealClips) -> None:
    opening = real.face.motion[..., 0]
    assert np.nanmean(per_clip("closure_recall", real, spoken)) > 0.95
    values = [
        np.nanmean(per_clip("closure_recall", with_opening(real, least + (1 - least) * opening), spoken))
        for least in (0.0, 0.1, 0.2, 0.3)
    ]
    assert values == sorted(values, reverse=True)
    assert values[2] < 0.3
    assert values[3] == 0


def test_closures_of_strangers_agree_as_by_chance(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    """Uncorrected, four of five closures of a stranger find the mouth closed."""
    values = []
    for apart in range(1, 12):
        stranger = real.with_sound_of(np.roll(np.arange(real.clips), apart), spoken.mel, readers)
        values.append(np.nanmean(per_clip("closure_recall", stranger, spoken)))
    assert abs(np.mean(values)) < 0.1
    assert max(values) < 0.5


@given(seed=st.integers(0, 2**16), frames=st.integers(16, 64))
def test_closure_agreement_is_what_single_shifts_say(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    closed = rng.random(frames) < 0.4
    spans = [Span(int(rng.integers(0, frames - 4)), int(rng.integers(1, 5))) for _ in range(4)]

    def share(shift: int) -> float:
        return float(np.mean([np.roll(closed, -shift)[s.first : s.first + s.frames].any() for s in spans]))

    least = -(-frames // 9)
    chance = np.mean([share(shift) for shift in range(least, frames - least + 1)])
    found = closure_agreement(closed, spans)
    if chance > 0.9 - 1e-9:
        assert np.isnan(found) or chance < 0.9 + 1e-9  # rounded to either side
    else:
        assert found == pytest.approx((share(0) - chance) / (1 - chance))


def test_closures_of_made_tracks() -> None:
    closed = np.zeros(90, bool)
    closed[[20, 40, 60]] = True
    spans = [Span(20, 1), Span(40, 1), Span(60, 1)]
    chance = (
        2 * 2 / 3 + 2 * 1 / 3
    ) / 71  # two spans meet after shifts by 20 either way, one by 40; of 71 shifts
    assert closure_agreement(closed, spans) == pytest.approx(1.0)
    assert closure_agreement(np.roll(closed, 7), spans) == pytest.approx(-chance / (1 - chance))
    assert np.isnan(closure_agreement(closed, []))
    assert np.isnan(closure_agreement(np.ones(90, bool), spans))
    assert closure_agreement(np.zeros(90, bool), spans) == 0.0


def test_closures_of_a_made_clip(real: Observation, spoken: RealClips) -> None:
    one = real.select(np.array([0]))
    speech = replace(
        one.speech,
        phones=(("M", "AA", "B", "IY", "P"),),
        phone_onsets_s=((0.8, 1.0, 1.6, 1.8, 3.2),),
    )
    opening = np.full((1, 64), 0.8, np.float32)
    times = (np.arange(64) + 0.5) / FPS
    opening[0, np.abs(times - 0.9) < 0.05] = 0.0  # closed for M, not for B; P ends after 0.2 s
    opening[0, (times > 3.6) & (times < 3.75)] = 0.0
    found = with_opening(replace(one, speech=speech), opening)
    # frames with their middle in 0.76-1.04 s, 1.56-1.84 s and 3.16-3.44 s
    spans = [Span(9, 4), Span(19, 4), Span(39, 4)]
    wanted = closure_agreement(opening[0] < 0.2, spans)
    assert 0 < wanted < 1 / 3
    result = METRICS.build({"type": "closure_recall"}).scores(found, real, spoken.prompts).per_clip()
    assert result == [pytest.approx(wanted)]
    vowels = replace(found, speech=replace(speech, phones=(("AA", "AA", "IY", "IY", "AA"),)))
    assert METRICS.build({"type": "closure_recall"}).scores(vowels, real, spoken.prompts).per_clip() == [None]


def test_shapes_of_the_mouth(real: Observation, spoken: RealClips, readers: Readers) -> None:
    found = per_clip("viseme_acc", real, spoken)
    assert found.mean() > 0.85
    upside_down = with_opening(real, 1 - real.face.motion[..., 0])
    assert (per_clip("viseme_acc", upside_down, spoken) < found).all()
    stranger = real.with_sound_of(np.roll(np.arange(real.clips), 1), spoken.mel, readers)
    assert per_clip("viseme_acc", stranger, spoken).mean() < 0.6


@pytest.mark.parametrize("name", ["onset_f1_40", "onset_f1_80", "closure_recall", "viseme_acc"])
def test_still_and_silent_clips_have_no_events(name: str, real: Observation, spoken: RealClips) -> None:
    still = with_opening(real, np.full_like(real.face.motion[..., 0], 0.3))
    silent = replace(real, speech=replace(real.speech, speech=np.zeros_like(real.speech.speech)))
    for seen in (still, silent):
        assert METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).status == "not_applicable"
