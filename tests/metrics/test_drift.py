from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_world import RealClips, draw, real_clips

from mfbench.metrics.drift import WINDOW_S, slope_per_10_s, windowed
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.registry import METRICS

NAMES = ("drift_colour", "drift_identity", "drift_loudness", "drift_sync")


@pytest.fixture(scope="module")
def long_clips() -> RealClips:
    return real_clips("test", 4, seconds=25.6)


def drift(name: str, seen: Observation, clips: RealClips) -> float:
    result = METRICS.build({"type": name}).compute(seen, seen, clips.prompts)
    assert result.status == "ok"
    return float(result.value)


@given(slope=st.floats(-5, 5), level=st.floats(-100, 100))
def test_slopes_of_lines(slope: float, level: float) -> None:
    times = WINDOW_S * np.arange(5)
    values = np.stack([level + slope * times, np.full(5, level)])
    np.testing.assert_allclose(slope_per_10_s(values), [10 * slope, 0], atol=1e-9)


def test_slopes_leave_out_gaps_and_need_three_windows() -> None:
    values = np.array([[0.0, np.nan, 2.0, 3.0], [np.nan, np.nan, 1.0, 2.0]])
    found = slope_per_10_s(values)
    assert found[0] == pytest.approx(10 / WINDOW_S)
    assert np.isnan(found[1])


def test_windows_are_equal_and_a_rest_is_cut() -> None:
    tracks = np.arange(2 * 150, dtype=np.float32).reshape(2, 150)
    cut = windowed(tracks, 12.5)
    assert cut.shape == (2, 2, 64)
    np.testing.assert_array_equal(cut[1, 1], np.arange(150 + 64, 150 + 128))


def test_a_real_talker_does_not_drift(long_clips: RealClips, readers: Readers) -> None:
    seen = observe(long_clips.frames, long_clips.mel, readers)
    limits = {"drift_colour": 1.5, "drift_identity": 0.01, "drift_loudness": 0.6, "drift_sync": 0.03}
    for name, limit in limits.items():
        assert abs(drift(name, seen, long_clips)) < limit, name


def test_injected_drift_is_found_with_its_size(long_clips: RealClips, readers: Readers) -> None:
    ramp = np.linspace(0, 1, long_clips.face.shape[1], dtype=np.float32)
    face = long_clips.face.copy()
    face[..., 11:26] += 0.2 * ramp[None, :, None] * (0.5 - face[..., 11:26].round())
    louder = long_clips.mel + np.linspace(0, 1, long_clips.mel.shape[1], dtype=np.float32)[None, :, None]
    seen = observe(draw(face), louder, readers)
    assert drift("drift_colour", seen, long_clips) > 5
    assert drift("drift_identity", seen, long_clips) > 0.002
    wanted_db = 20 / np.log(10) / 25.6 * 10
    assert drift("drift_loudness", seen, long_clips) == pytest.approx(wanted_db, rel=0.35)


def test_sync_that_is_lost_over_time_is_positive_drift(long_clips: RealClips, readers: Readers) -> None:
    frames = long_clips.mel.shape[1]
    late = np.maximum(np.arange(frames) - (np.arange(frames) * 10) // frames, 0)  # up to 200 ms late
    seen = observe(long_clips.frames, long_clips.mel[:, late], readers)
    assert drift("drift_sync", seen, long_clips) > 0.2


@pytest.mark.parametrize("name", NAMES)
def test_two_windows_are_not_a_trend(name: str, long_clips: RealClips, readers: Readers) -> None:
    seen = observe(long_clips.frames[:, :128], long_clips.mel[:, :512], readers)
    assert METRICS.build({"type": name}).compute(seen, seen, long_clips.prompts).status == "not_applicable"
    three = observe(long_clips.frames[:, :192], long_clips.mel[:, :768], readers)
    assert METRICS.build({"type": name}).compute(three, three, long_clips.prompts).status == "ok"


def test_what_cannot_vary_is_not_applicable(long_clips: RealClips, readers: Readers) -> None:
    still = observe(np.repeat(long_clips.frames[:, :1], 320, 1), long_clips.mel, readers)
    for name in ("drift_colour", "drift_identity", "drift_sync"):
        result = METRICS.build({"type": name}).compute(still, still, long_clips.prompts)
        assert result.status == "not_applicable", name
