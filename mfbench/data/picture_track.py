"""What is on screen at a time; asked for from the left to the right, holding a few pictures only."""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import av

from mfbench.data.decoding import Tally
from mfbench.data.media_facts import MediaError

REORDERED = 4  # pictures whose time stamps may stand in a wrong order, as those of B frames do in avi
GAP_BIN_S = 1e-4
LONGEST_GAP_S = 2.0  # longer ones share a bin
USUAL = 0.25  # a gap this much beside the median is not the frame distance


@dataclass(frozen=True)
class Picture:
    """A decoded picture, the time it appears and how long it declares to stay (0 if it does not)."""

    frame: av.VideoFrame
    time_s: float
    stays_s: float


class FrameGaps:
    """Distances between frames, in bounded memory."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._sums: Counter[int] = Counter()  # microseconds
        self.longest_s = 0.0

    def add(self, gap_s: float) -> None:
        """Count one distance."""
        key = round(min(gap_s, LONGEST_GAP_S) / GAP_BIN_S)
        self._counts[key] += 1
        self._sums[key] += round(gap_s * 1e6)
        self.longest_s = max(self.longest_s, gap_s)

    def usual_s(self) -> float | None:
        """The mean of the gaps near their median, so that rounded time stamps average out."""
        keys = sorted(self._counts)
        passed = list(accumulate(self._counts[key] for key in keys))
        if not passed:
            return None
        median = next(key for key, count in zip(keys, passed, strict=True) if 2 * count >= passed[-1])
        near = [key for key in keys if abs(key - median) <= USUAL * median]
        seconds = sum(self._sums[key] for key in near) / sum(self._counts[key] for key in near) / 1e6
        return seconds or None


class PictureTrack:
    """What is on screen.

    Attributes:
        now: the picture on screen; `number` is its place in the stream.
        following: the one that replaces it, `None` after the last.
    """

    def __init__(self, frames: Iterator[av.VideoFrame | av.AudioFrame], tally: Tally, limit_s: float) -> None:
        self.tally, self._limit_s = tally, limit_s
        self._last_s = -math.inf
        self._coming = self._in_order(frames)
        first = next(self._coming, None)
        if first is None:
            raise MediaError(f"has no decodable video frame ({tally.bad} bad packets)", "no_frames")
        self.now, self.number = first, 0
        self.first_s = first.time_s
        self.gaps = FrameGaps()
        self.following = next(self._coming, None)

    def advance(self, time_s: float) -> Picture:
        """The picture on screen at this time; times must not fall."""
        while self.following is not None and self.following.time_s <= time_s:
            self.gaps.add(self.following.time_s - self.now.time_s)
            self.now, self.number = self.following, self.number + 1
            self.following = next(self._coming, None)
            if self.now.time_s - max(self.first_s, 0.0) > self._limit_s:
                raise MediaError(f"shows pictures for more than {self._limit_s:.0f} s; cut it", "too_long")
        return self.now

    def _in_order(self, frames: Iterator[av.VideoFrame | av.AudioFrame]) -> Iterator[Picture]:
        """Decoders give pictures in the order of display, so only their time stamps are sorted."""
        held: deque[av.VideoFrame] = deque()
        times: list[float] = []
        for frame in frames:
            stamp = frame.dts if frame.pts is None else frame.pts
            if not isinstance(frame, av.VideoFrame) or stamp is None or not frame.time_base:
                self.tally.bad += 1  # it has no place on the axis
                continue
            held.append(frame)
            heapq.heappush(times, float(stamp * frame.time_base))
            if len(held) > REORDERED:
                yield from self._next(held, times)
        while held:
            yield from self._next(held, times)

    def _next(self, held: deque[av.VideoFrame], times: list[float]) -> Iterator[Picture]:
        frame, time_s = held.popleft(), heapq.heappop(times)
        if time_s < self._last_s:
            self.tally.bad += 1  # it belongs before one that was already shown
            return
        self._last_s = time_s
        yield Picture(frame, time_s, float((frame.duration or 0) * (frame.time_base or 0)))
