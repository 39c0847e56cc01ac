"""A film whose sound is in a file of its own: second 0 of the sound goes with the film's first frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from mfbench.data.checksums import broken_checksums
from mfbench.data.decoding import READ_ERRORS, PacketFeed, Tally, declared_s, sound_stream
from mfbench.data.media_facts import BAD_PACKETS, MISSING_S, MISSING_SHARE, MediaError, MediaFacts
from mfbench.data.sound_track import SoundTrack
from mfbench.data.streaming import Block, Grid, MediaReader

FORMATS = "wav,w64,aiff,flac,ogg,mp3,aac,mov,matroska"  # libav's demuxers of usual files of sound
ROUNDING_FRAMES = 1e-3


class OwnSound:
    """Iterates once over the blocks of a film with another file's sound.

    The film ends with the earlier of picture and sound, as one with both in one file does.

    Args:
        reader: of the film, not yet iterated; its own sound is not read.
        path: of the sound.
        grid: that the reader was opened with.
        limit_s: of sound.

    Raises:
        MediaError: no file of sound; while iterating also damaged or truncated.
    """

    def __init__(self, reader: MediaReader, path: Path, grid: Grid, limit_s: float) -> None:
        self.reader, self.path, self.grid = reader, path, grid
        reader.audio = None
        self._container = _opened(path)
        try:
            stream = sound_stream(self._container)
            if stream is None:
                raise MediaError("has no stream of sound", "no_audio")
        except MediaError as error:
            self._container.close()
            raise MediaError(f"{path} {error}", error.reason) from error
        self.tally = Tally()
        self._stream: AudioStream = stream
        feed = PacketFeed(self._container, [stream], self.tally)
        self._sound = SoundTrack(feed.decoded(stream), grid.sample_rate_hz, 0.0, limit_s, self.tally)
        self._facts: MediaFacts | None = None

    @property
    def facts(self) -> MediaFacts:
        """What both files held, known after the last block."""
        if self._facts is None:
            raise RuntimeError(f"the facts of {self.path} are known after the last block; read all blocks")
        return self._facts

    def __iter__(self) -> Iterator[Block]:
        try:
            yield from self._blocks()
            self._sound.drain()
            self._facts = self._joined(self.reader.facts)
        except MediaError as error:
            if str(self.reader.path) in str(error):
                raise
            raise MediaError(f"{self.path} {error}", error.reason) from error
        finally:
            self._container.close()

    def _blocks(self) -> Iterator[Block]:
        done = 0
        for block in self.reader:
            first, last = self.grid.samples(done), self.grid.samples(done + len(block.frames))
            self._sound.until(last)
            known = min(len(block.frames), self._frames_heard() - done)
            if known == len(block.frames):
                yield replace(block, waveform=self._sound.take(first, last - first))
            elif known > 0:
                end = self.grid.samples(done + known)
                yield replace(
                    block, frames=block.frames[:known], waveform=self._sound.take(first, end - first)
                )
            done += len(block.frames)  # whatever follows the sound is decoded, so that damage shows

    def _frames_heard(self) -> int:
        return int(np.floor(self._sound.end_s * float(self.grid.rate) + ROUNDING_FRAMES))

    def _joined(self, facts: MediaFacts) -> MediaFacts:
        sound, declared = self._sound, declared_s(self._stream)
        if sound.start_s is None:
            raise MediaError(f"has no decodable sound ({self.tally.bad} bad packets)", "no_frames")
        if self.tally.bad > max(1.0, BAD_PACKETS * self.tally.packets):
            raise MediaError(
                f"is damaged: {self.tally.bad} of {self.tally.packets} packets cannot be decoded", "damaged"
            )
        heard_s = sound.end_s - sound.start_s
        if declared is not None and declared - heard_s > max(MISSING_S, MISSING_SHARE * declared):
            raise MediaError(
                f"is truncated: it declares {declared:.2f} s and holds {heard_s:.2f} s; copy it anew",
                "truncated",
            )
        context = self._stream.codec_context
        return replace(
            facts,
            audio_codec=context.name,
            end_s=min(facts.end_s, facts.start_s + sound.end_s),
            audio_start_s=facts.start_s + sound.start_s,
            audio_end_s=facts.start_s + sound.end_s,
            audio_declared_s=declared,
            channels=context.layout.nb_channels,
            source_rate_hz=context.sample_rate,
            packets=facts.packets + self.tally.packets,
            bad_packets=facts.bad_packets + self.tally.bad,
            faulty_packets=facts.faulty_packets + self.tally.faulty,
            corrupt_frames=facts.corrupt_frames + self.tally.corrupt_frames,
            container_errors=facts.container_errors + self.tally.container_errors,
            broken_checksums=facts.broken_checksums
            + broken_checksums(self.path, self._container.format.name),
            sound_jumps=facts.sound_jumps + self.tally.sound_jumps,
        )


def _opened(path: Path) -> InputContainer:
    try:
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        return av.open(f"file:{path}", container_options=options, metadata_errors="replace")
    except READ_ERRORS as error:
        text = f"{path} cannot be read as a file of sound ({type(error).__name__}: {error}); write it as wav"
        raise MediaError(text, "unreadable") from error
