"""Mono sound at its own time; asked for from the left to the right, holding little more than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from mfbench.data.decoding import READ_ERRORS, Tally
from mfbench.data.media_facts import MediaError

JITTER_S = 0.002  # Matroska rounds times to 1 ms: what comes this close to its place follows seamlessly
SLOWEST_HZ, FASTEST_HZ = 1000, 768_000  # other rates stand in damaged headers only


@dataclass(frozen=True)
class _Piece:
    """Samples and their place, in samples after the origin."""

    at: int
    samples: NDArray[np.float32]


@dataclass
class _Run:
    """Seamless sound of one format: the first sample's time says where all of them are."""

    start_s: float
    signature: tuple[str, str, int]
    resampler: AudioResampler
    heard: int = 0  # samples at the source's rate
    given: int = 0  # samples at the wanted rate

    def end_s(self) -> float:
        """Where the next block should begin."""
        return self.start_s + self.heard / self.signature[2]


@dataclass
class SoundTrack:
    """Decoded blocks are never joined end to end over a gap: what follows would play early from there on.

    Args:
        frames: decoded blocks of one stream.
        rate_hz: of the samples that are given.
        origin_s: container time of sample 0; what is earlier is left out.
        limit_s: of sound after the origin.
        tally: where blocks without a place or with values that are no numbers are counted.

    Attributes:
        start_s: container time of the first block, `None` before one is decoded.
        reached: samples after the origin up to where the sound is known.
        ended: whether all of it is.
    """

    frames: Iterator[av.VideoFrame | av.AudioFrame]
    rate_hz: int
    origin_s: float
    limit_s: float
    tally: Tally
    start_s: float | None = None
    reached: int = 0
    ended: bool = False
    _run: _Run | None = None
    _pieces: deque[_Piece] = field(default_factory=deque)

    @property
    def end_s(self) -> float:
        """Container time where the known sound ends."""
        return self.origin_s + self.reached / self.rate_hz

    def until(self, sample: int) -> None:
        """Decode until the sound is known up to this sample, or ends."""
        while not self.ended and self.reached < sample:
            self._pull()

    def take(self, first: int, count: int) -> NDArray[np.float32]:
        """Samples [first, first + count), silent where there are none; earlier ones are forgotten."""
        out = np.zeros(count, np.float32)
        for piece in self._pieces:
            begin, end = max(piece.at - first, 0), min(piece.at + len(piece.samples) - first, count)
            if end > begin:
                out[begin:end] = piece.samples[begin + first - piece.at : end + first - piece.at]
        self.forget(first + count)
        return out

    def forget(self, sample: int) -> None:
        """Drop what lies wholly before this sample."""
        while self._pieces and self._pieces[0].at + len(self._pieces[0].samples) <= sample:
            self._pieces.popleft()

    def drain(self) -> None:
        """Decode the rest and keep none of it."""
        while not self.ended:
            self._pull()
            self._pieces.clear()

    def _pull(self) -> None:
        frame = next(self.frames, None)
        if frame is None:
            self._finish_run()
            self.ended = True
        elif isinstance(frame, av.AudioFrame) and SLOWEST_HZ <= frame.sample_rate <= FASTEST_HZ:
            self._place(frame)
        else:
            self.tally.bad += 1

    def _place(self, frame: av.AudioFrame) -> None:
        due_s = self._run.end_s() if self._run else self.end_s if self.start_s is not None else 0.0
        time_s = due_s if frame.pts is None or not frame.time_base else float(frame.pts * frame.time_base)
        if time_s - self.origin_s > self.limit_s:
            raise MediaError(f"has sound at {time_s:.0f} s, after {self.limit_s:.0f} s; cut it", "too_long")
        signature = (frame.format.name, frame.layout.name, frame.sample_rate)
        run = self._run
        if run is None or run.signature != signature or abs(time_s - due_s) > JITTER_S:
            self._finish_run()
            self.tally.sound_jumps += run is not None and abs(time_s - due_s) > JITTER_S
            if run is not None and time_s < due_s - frame.samples / frame.sample_rate:
                self.tally.bad += 1  # time went back: this was heard already
            run = self._run = _Run(time_s, signature, _mono(self.rate_hz))
            self.start_s = time_s if self.start_s is None else self.start_s
        run.heard += frame.samples
        frame.pts = None  # the run knows where it is
        self._resample(run, frame)

    def _finish_run(self) -> None:
        """Get what the filter still holds."""
        if self._run is not None:
            self._resample(self._run, None)
        self._run = None

    def _resample(self, run: _Run, frame: av.AudioFrame | None) -> None:
        try:
            blocks = run.resampler.resample(frame)
        except READ_ERRORS:
            self.tally.bad += 1
            self._run = None
            return
        for block in blocks:
            if block is not None:  # what a resampler without work gives at the end
                self._keep(run, block.to_ndarray().reshape(-1).astype(np.float32))

    def _keep(self, run: _Run, samples: NDArray[np.float32]) -> None:
        at = round((run.start_s - self.origin_s) * self.rate_hz) + run.given
        run.given += len(samples)
        if not np.isfinite(samples).all():
            self.tally.bad += 1
            return
        known = max(self.reached - at, 0)  # what is there stays
        self.reached = max(self.reached, at + len(samples))
        if known < len(samples):
            self._pieces.append(_Piece(at + known, samples[known:]))


def _mono(rate_hz: int) -> AudioResampler:
    """The mean of the channels; libav's default for floats would make stereo 3 dB louder than mono."""
    return AudioResampler(format="flt", layout="mono", rate=rate_hz, options={"rematrix_maxval": "1"})
