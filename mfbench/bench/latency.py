"""What a viewer notices of chunk times: percentiles, jitter, stalls, growth (numpy only).

`ready_s` holds the seconds from the request until each chunk was in host memory: [rollouts, chunks], or
[chunks] of one rollout. A latency is the time between two chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = {"_p95": 200, "_p99": 1000}  # chunks that a percentile needs
MAXIMUM = "_max"  # with fewer, the largest value is printed as what it is
UNSTEADY = 2  # first chunks of a rollout, which percentiles leave out
FEWEST_FOR_GROWTH = 8  # chunks in each half
ROUNDING_S = 1e-9  # a chunk that is late by less is in time


@dataclass(frozen=True)
class Playout:
    """A player's view of one rollout.

    Attributes:
        stalls: chunks that the player had to wait for.
        stalled_s: how long it waited in all, without the start.
    """

    stalls: int
    stalled_s: float


def steady(ready_s: Floats) -> Floats:
    """Latencies [rollouts, chunks - 2] in seconds, the first chunks left out.

    Raises:
        ValueError: where nothing is left.
    """
    if ready_s.shape[-1] <= UNSTEADY:
        raise ValueError(
            f"rollouts of {ready_s.shape[-1]} chunks have no steady state; make them longer than {UNSTEADY} "
            "chunks (`suite.timing.seconds`)"
        )
    return np.diff(ready_s, axis=-1)[..., UNSTEADY - 1 :]


def tails(latencies: Floats) -> dict[str, float]:
    """Upper percentiles that so many values can carry, by suffix of the name; the maximum for a missing p99.

    A p95 needs 200 values and a p99 needs 1000: ten lie beyond it then, so that none of them decides alone.
    """
    found = {
        suffix: float(np.percentile(latencies, float(suffix.removeprefix("_p"))))
        for suffix, fewest in FEWEST.items()
        if latencies.size >= fewest
    }
    return found if "_p99" in found else found | {MAXIMUM: float(latencies.max())}


def spread(latencies: Floats) -> float:
    """Inter-quartile range."""
    low, high = np.percentile(latencies, [25, 75])
    return float(high - low)


def jitter(latencies: Floats) -> dict[str, float]:
    """Spread by suffix: the inter-quartile range (no suffix), and p99 or else the maximum less the median."""
    reach = tails(latencies)
    suffix = "_p99" if "_p99" in reach else MAXIMUM
    return {"": spread(latencies), suffix: reach[suffix] - float(np.median(latencies))}


def lateness(ready_s: Floats, chunk_s: float) -> Floats:
    """How late each chunk is for a player that starts with the first one and never waits: [.., chunks].

    Chunk k is due k chunk durations after the first; negative is early.
    """
    due = np.arange(ready_s.shape[-1]) * chunk_s
    return np.asarray(ready_s - ready_s[..., :1] - due)


def min_buffer_s(ready_s: Floats, chunk_s: float) -> Floats:
    """Smallest delay after the first chunk with which a player never waits: the largest lateness, [..].

    It is also the time that a player without delay stalls in all: it waits only for lateness that it has not
    waited for before.
    """
    return np.asarray(lateness(ready_s, chunk_s).max(axis=-1))


def play_out(ready_s: Floats, chunk_s: float, buffer_s: float = 0.0) -> Playout:
    """Play one rollout [chunks], starting `buffer_s` after its first chunk, and wait for every late chunk."""
    stalls, stalled_s = 0, 0.0
    shown_s = float(ready_s[0]) + buffer_s  # when the chunk on screen started
    for ready in ready_s[1:]:
        due = shown_s + chunk_s
        late = max(float(ready) - due, 0.0)
        stalls += late > ROUNDING_S
        stalled_s += late
        shown_s = due + late
    return Playout(stalls, stalled_s)


def stall_ratio(ready_s: Floats, chunk_s: float) -> float:
    """Stalled time over media time of one rollout [chunks] that plays from its first chunk on."""
    return play_out(ready_s, chunk_s).stalled_s / (len(ready_s) * chunk_s)


def growth(latencies: Floats) -> Floats | None:
    """Median latency of the later half over that of the earlier, once the history has its full length.

    One ratio per rollout of [rollouts, chunks]; None where the rollout is too short to tell.
    """
    half = latencies.shape[1] // 2
    if half < FEWEST_FOR_GROWTH:
        return None
    return np.asarray(np.median(latencies[:, -half:], axis=1) / np.median(latencies[:, :half], axis=1))
