from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from light_views import measured, seen
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.spatial.distance import cosine

from mfbench.metrics.consistency import LAGS, likeness_over_lags, mean_over_log


def turning(frames: int, per_frame: float) -> NDArray[np.float32]:
    """An embedding that turns by so much per frame, [1, frames, 2]; frames k apart have the cosine of k."""
    angle = per_frame * np.arange(frames)
    return np.stack([3 * np.cos(angle), 3 * np.sin(angle)], -1)[None].astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), lag=st.integers(1, 8))
def test_pairs_one_by_one(seed: int, lag: int) -> None:
    looks = np.random.default_rng(seed).standard_normal((2, 12, 4)).astype(np.float32)
    wanted = [np.mean([1 - cosine(clip[k], clip[k + lag]) for k in range(12 - lag)]) for clip in looks]
    np.testing.assert_allclose(likeness_over_lags(looks, [lag])[:, 0], wanted, atol=1e-5)


@given(values=st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_the_area_over_log_time(values: list[float]) -> None:
    at = np.array(LAGS, dtype=np.float64)
    wanted = trapezoid(values, np.log10(at)) / np.log10(50)
    assert mean_over_log(np.array([values]), at)[0] == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(per_frame=st.floats(0, 0.03))
def test_a_film_that_turns_away_evenly(per_frame: float) -> None:
    found = measured("consistency_dt", seen(1, face={"looks": turning(200, per_frame)})).value
    at = np.array(LAGS, dtype=np.float64)
    wanted = trapezoid(np.cos(per_frame * at), np.log(at)) / np.log(50)
    assert found == pytest.approx(wanted, abs=1e-5)
    slower = measured("consistency_dt", seen(1, face={"looks": turning(200, per_frame / 2)})).value
    assert slower >= found - 1e-9


def test_the_same_film_at_half_the_rate() -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(0.02 * rng.standard_normal((1, 1000, 6)), axis=1) + np.array([5.0, 0, 0, 0, 0, 0])
    full = measured("consistency_dt", seen(1, 25.0, face={"looks": walk.astype(np.float32)})).value
    half = measured("consistency_dt", seen(1, 12.5, face={"looks": walk[:, ::2].astype(np.float32)})).value
    assert half == pytest.approx(full, abs=2e-4)


def test_a_still_film_has_one_and_a_change_late_in_it_shows_at_long_times_only() -> None:
    still = np.ones((2, 250, 3), np.float32)
    still[1, 125:, 0] = 4
    found = measured("consistency_dt", seen(2, face={"looks": still}))
    assert found.per_clip[0] == pytest.approx(1.0)
    assert found.per_clip[1] < 0.98
    likeness = likeness_over_lags(still, list(LAGS))[1]
    assert (np.diff(likeness) < 0).all()
    assert likeness[0] > 0.99


def test_a_film_without_the_longest_time_has_none() -> None:
    for frames, status in ((103, "not_applicable"), (104, "ok"), (128, "ok")):
        assert measured("consistency_dt", seen(1, face={"looks": turning(frames, 0.01)})).status == status
    assert measured("consistency_dt", seen(1, 12.5, face={"looks": turning(64, 0.01)})).status == "ok"
