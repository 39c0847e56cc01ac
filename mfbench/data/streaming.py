"""Read a media file in blocks of picture and sound on one grid, in memory that does not grow with its length.

Frame k of the grid shows what is on screen at start + (k + 0.5) / fps, without blending, so any source rate
and variable rates work; sound stands at its own time and gaps are silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from mfbench.data.complaints import about, listening
from mfbench.data.decoding import (
    AnyStream,
    PacketFeed,
    Tally,
    declared_s,
    open_container,
    picture_stream,
    sound_stream,
)
from mfbench.data.media_facts import MAX_STREAMED_SECONDS, MediaError, MediaFacts
from mfbench.data.picture_track import PictureTrack
from mfbench.data.pictures import FITS, Fit, Shaper
from mfbench.data.sound_track import SoundTrack
from mfbench.data.verdict import Reading, facts_of
from mfbench.errors import UsageError

ROUNDING_FRAMES = 1e-3
LONGEST_TICK_S = 1e-3  # of Matroska, whose rounded times may end a stream by so much too early
SAME_TIME_S = 1e-9


@dataclass(frozen=True)
class Grid:
    """The rates and sizes that a file is read at.

    Attributes:
        size_px: side of the square; the short side with `fit` "whole".
        block_s: length of a block, a whole number of frames and of samples.
        fit: "centre-square" cuts the largest centred square out of the picture; "whole" keeps its aspect.
    """

    fps: float
    size_px: int
    sample_rate_hz: int
    block_s: float
    fit: Fit = "centre-square"

    def __post_init__(self) -> None:
        if self.fit not in FITS:
            raise UsageError(f"fit is one of {', '.join(FITS)}, got {self.fit!r}")
        if not (0 < self.fps <= 1000 and 1 <= self.size_px <= 4096 and 1 <= self.sample_rate_hz <= 768_000):
            raise UsageError(
                "a grid has 0 to 1000 frames/s, 1 to 4096 pixels and 1 to 768000 samples/s, got "
                f"{self.fps} frames/s, {self.size_px} pixels and {self.sample_rate_hz} samples/s"
            )
        frames, samples = self.block_s * self.rate, self.block_s * self.sample_rate_hz
        if frames < 0.5 or abs(frames - round(frames)) > 1e-6 or abs(samples - round(samples)) > 1e-6:
            raise UsageError(
                f"a block of {self.block_s} s holds {float(frames):.4f} frames and {samples:.4f} samples and "
                f"must hold whole ones; take a multiple of {float(self.finest_s):.6g} s"
            )

    @property
    def rate(self) -> Fraction:
        """Frames per second, exactly."""
        return Fraction(self.fps).limit_denominator(1001)

    @property
    def finest_s(self) -> Fraction:
        """The shortest possible block."""
        return finest_block_s(self.fps, self.sample_rate_hz)

    @property
    def block_frames(self) -> int:
        """Frames of a block."""
        return round(self.block_s * self.rate)

    def samples(self, frames: int) -> int:
        """Samples that go with so many frames from the start."""
        return round(frames / self.rate * self.sample_rate_hz)


def finest_block_s(fps: float, sample_rate_hz: int) -> Fraction:
    """The shortest time that is a whole number of frames and of samples."""
    rate = Fraction(fps).limit_denominator(1001)
    return (sample_rate_hz / rate).denominator / rate


@dataclass(frozen=True)
class Block:
    """A part of a clip.

    Attributes:
        start_s: after the start of the clip, which is second `facts.start_s` of the container.
        frames: uint8 [n, height, width, 3].
        waveform: float32 [m], mono; zeros where the file is silent.
    """

    start_s: float
    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]


class MediaReader:
    """Iterates once over the blocks of a file; all but the last have the grid's length.

    The clip begins with the first picture at or after time 0 and ends with the earlier of the two streams
    (with the picture where there is no sound). Whether a file is whole shows only at its end: an error raised
    there makes the blocks already given worthless. Held at a time are one block, the packets of `PacketFeed`
    and a few source pictures.
    """

    def __init__(self, path: Path, grid: Grid, limit_s: float) -> None:
        self.path, self.grid, self.limit_s = path, grid, limit_s
        with listening() as messages:
            self._container: InputContainer | None = open_container(path)
        self._tally = Tally(container_errors=about(self._container.format.name, messages))
        self._facts: MediaFacts | None = None
        try:
            self.video, self.audio = picture_stream(self._container), sound_stream(self._container)
            self._check_length()
            self._shaper = Shaper(grid.size_px, grid.fit, float(self.video.sample_aspect_ratio or 1))
        except MediaError as error:
            self.close()
            raise MediaError(f"{path} {error}", error.reason) from error

    @property
    def has_audio(self) -> bool:
        """Whether the file has a stream of sound."""
        return self.audio is not None

    @property
    def facts(self) -> MediaFacts:
        """What the file held, known after the last block.

        Raises:
            RuntimeError: the iteration has not come to its end.
        """
        if self._facts is None:
            raise RuntimeError(f"the facts of {self.path} are known after the last block; read all blocks")
        return self._facts

    def close(self) -> None:
        """Release the file; the end of the iteration does so, too."""
        if self._container is not None:
            self._container.close()
        self._container = None

    def __iter__(self) -> Iterator[Block]:
        if self._container is None:
            raise RuntimeError(f"{self.path} was read already; open it again")
        try:
            yield from self._read(self._container)
        except MediaError as error:
            raise MediaError(f"{self.path} {error}", error.reason) from error
        finally:
            self.close()

    def _check_length(self) -> None:
        declared = [declared_s(s) or 0.0 for s in (self.video, self.audio) if s is not None]
        if max(declared) > self.limit_s:
            raise MediaError(
                f"is {max(declared):.0f} s long and at most {self.limit_s:.0f} s are read; cut it first",
                "too_long",
            )

    def _read(self, container: InputContainer) -> Iterator[Block]:
        streams: list[AnyStream] = [self.video]
        if self.audio is not None:
            streams.append(self.audio)
        tally = self._tally
        feed = PacketFeed(container, streams, tally)
        pictures = PictureTrack(feed.decoded(self.video), tally, self.limit_s)
        start_s = max(pictures.first_s, 0.0)
        sound = None
        if self.audio is not None:
            coming = feed.decoded(self.audio)
            sound = SoundTrack(coming, self.grid.sample_rate_hz, start_s, self.limit_s, tally)
        reading = Reading(self.path, container, self.video, self.audio, pictures, sound, self.grid.rate)
        yield from self._blocks(reading)
        self._facts = facts_of(reading)

    def _blocks(self, reading: Reading) -> Iterator[Block]:
        first, last = 0, None
        while last is None or first < last:
            numbers, frames = self._shown(reading, first)
            last = self._frames_in_all(reading, first + len(frames))
            count = len(frames) if last is None else min(last - first, len(frames))
            if count > 0:
                begin, end = self.grid.samples(first), self.grid.samples(first + count)
                waveform = np.zeros(end - begin, np.float32)
                if reading.sound is not None:
                    waveform = reading.sound.take(begin, end - begin)
                reading.count(numbers[:count])
                yield Block(float(first / self.grid.rate), np.stack(frames[:count]), waveform)
            first += len(frames)

    def _shown(self, reading: Reading, first: int) -> tuple[list[int], list[NDArray[np.uint8]]]:
        """Source numbers and pictures of a block from grid frame `first` on."""
        numbers: list[int] = []
        frames: list[NDArray[np.uint8]] = []
        for k in range(first, first + self.grid.block_frames):
            centre_s = reading.start_s + (k + 0.5) / float(self.grid.rate)
            picture = reading.pictures.advance(centre_s + SAME_TIME_S)
            again = bool(numbers) and numbers[-1] == reading.pictures.number
            frames.append(frames[-1] if again else self._shaper(picture.frame))
            numbers.append(reading.pictures.number)
        return numbers, frames

    def _frames_in_all(self, reading: Reading, border: int) -> int | None:
        """Frames of the clip, `None` while both streams go on after frame `border`."""
        reading.pictures.advance(reading.start_s + border / float(self.grid.rate))
        ended = reading.pictures.following is None
        if reading.sound is not None:
            reading.sound.until(self.grid.samples(border))
            ended = ended or reading.sound.ended
        if not ended:
            return None
        tick_s = min(float(self.video.time_base or 0), LONGEST_TICK_S)
        seconds = reading.end_s() - reading.start_s + tick_s
        return int(np.floor(seconds * float(self.grid.rate) + ROUNDING_FRAMES))


def open_media(path: Path, grid: Grid, *, limit_s: float = MAX_STREAMED_SECONDS) -> MediaReader:
    """Open an mp4, mov, mkv, webm, avi or mpg file for reading in blocks.

    Args:
        path: of a local file.
        grid: rates, sizes and the block length.
        limit_s: longer files are refused.

    Raises:
        MediaError: a URL, no such file, empty, not one of the formats, without pictures, too large or too
            long; while iterating also damaged, truncated, too short, badly interleaved.
    """
    return MediaReader(path, grid, limit_s)
