"""Closed forms of what a viewer notices, with scripted chunk times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.bench import latency

CHUNK_S = 0.32
LATENCIES = st.lists(st.floats(0.0, 3.0), min_size=2, max_size=30)


def ready(latencies: list[float]) -> np.ndarray:
    return np.cumsum(np.array(latencies))


def test_chunks_faster_than_they_play_never_stall() -> None:
    times = ready([2.0] + [0.3] * 20)  # a slow start is no stall
    assert latency.play_out(times, CHUNK_S) == latency.Playout(0, 0.0)
    assert latency.min_buffer_s(times, CHUNK_S) == 0.0
    assert latency.stall_ratio(times, CHUNK_S) == 0.0


def test_one_late_chunk_needs_a_buffer_of_its_lateness() -> None:
    times = ready([0.1] + [CHUNK_S] * 9)
    times[6] += 0.25
    assert latency.min_buffer_s(times, CHUNK_S) == pytest.approx(0.25)
    late = latency.play_out(times, CHUNK_S)
    assert (late.stalls, late.stalled_s) == (1, pytest.approx(0.25))
    assert latency.stall_ratio(times, CHUNK_S) == pytest.approx(0.25 / 3.2)
    assert latency.play_out(times, CHUNK_S, 0.2).stalled_s == pytest.approx(0.05)


def test_chunks_slower_than_they_play_stall_every_time() -> None:
    """At twice the chunk's duration every chunk is late by one more duration."""
    times = ready([2 * CHUNK_S] * 11)
    assert latency.play_out(times, CHUNK_S).stalls == 10
    assert latency.min_buffer_s(times, CHUNK_S) == pytest.approx(10 * CHUNK_S)
    assert latency.stall_ratio(times, CHUNK_S) == pytest.approx(10 / 11)


def test_buffers_are_found_rollout_by_rollout() -> None:
    times = np.stack([ready([0.1] + [0.3] * 5), ready([0.1] + [0.42] * 5)])
    assert latency.min_buffer_s(times, CHUNK_S) == pytest.approx([0.0, 0.5])


@given(LATENCIES, st.floats(0.001, 0.999))
def test_the_smallest_buffer_ends_all_stalls_and_no_smaller_one_does(
    latencies: list[float], part: float
) -> None:
    times = ready(latencies)
    buffer_s = float(latency.min_buffer_s(times, CHUNK_S))
    enough = latency.play_out(times, CHUNK_S, buffer_s)
    assert enough.stalls == 0
    assert enough.stalled_s < 1e-9
    less = latency.play_out(times, CHUNK_S, part * buffer_s)
    assert less.stalled_s == pytest.approx((1 - part) * buffer_s, abs=1e-9)
    assert (less.stalls > 0) == ((1 - part) * buffer_s > latency.ROUNDING_S) or buffer_s < 1e-6


@given(LATENCIES, st.data())
def test_the_stall_ratio_is_finite_and_grows_with_every_latency(
    latencies: list[float], data: st.DataObject
) -> None:
    slow = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(latencies), max_size=len(latencies)))
    fast = latency.stall_ratio(ready(latencies), CHUNK_S)
    slower = latency.stall_ratio(ready([a + b for a, b in zip(latencies, slow, strict=True)]), CHUNK_S)
    assert 0.0 <= fast <= slower + 1e-9
    assert np.isfinite(slower)


@pytest.mark.parametrize(
    ("chunks", "suffixes"),
    [
        (2, {"_max"}),
        (199, {"_max"}),
        (200, {"_p95", "_max"}),
        (999, {"_p95", "_max"}),
        (1000, {"_p95", "_p99"}),
    ],
)
def test_a_percentile_needs_its_number_of_chunks(chunks: int, suffixes: set[str]) -> None:
    values = np.arange(chunks, dtype=float)
    found = latency.tails(values)
    assert set(found) == suffixes
    if "_max" in found:
        assert found["_max"] == chunks - 1
    for suffix, share in (("_p95", 0.95), ("_p99", 0.99)):
        if suffix in found:
            assert found[suffix] == pytest.approx(share * (chunks - 1))
    reach = "_p99" if chunks >= 1000 else "_max"
    assert latency.jitter(values) == pytest.approx(
        {"": (chunks - 1) / 2, reach: found[reach] - (chunks - 1) / 2}
    )


def test_an_even_stream_has_no_jitter() -> None:
    assert latency.jitter(np.full(300, 42.0)) == {"": 0.0, "_max": 0.0}


def test_percentiles_leave_out_the_first_two_chunks_of_every_rollout() -> None:
    times = np.cumsum([[9.0, 8.0, 1.0, 2.0], [7.0, 6.0, 3.0, 4.0]], axis=1)
    assert latency.steady(times).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(
        ValueError, match=r"rollouts of 2 chunks have no steady state.*suite\.timing\.seconds"
    ):
        latency.steady(times[:, :2])


def test_latency_that_doubles_late_has_growth_two_and_a_short_rollout_has_none() -> None:
    flat = np.full((3, 2 * latency.FEWEST_FOR_GROWTH), 0.05)
    late = flat.copy()
    late[:, latency.FEWEST_FOR_GROWTH :] *= 2
    assert latency.growth(flat) == pytest.approx(1.0)
    assert latency.growth(late) == pytest.approx([2.0, 2.0, 2.0])
    assert latency.growth(flat[:, : 2 * latency.FEWEST_FOR_GROWTH - 2]) is None
