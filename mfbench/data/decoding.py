"""Open a media file and decode its streams side by side, without holding more than it must.

The time of a sample or frame is its presentation time stamp times the time base, after the container's edit
lists (which also hide the priming samples of AAC). Messages of errors raised here are predicates: the reader
puts the file's name before them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from mfbench.data.complaints import about, listening
from mfbench.data.media_facts import MAX_PIXELS, MediaError
from mfbench.data.pictures import square

__all__ = ["READ_ERRORS", "AnyStream", "PacketFeed", "Tally", "declared_s", "open_container", "square"]

FORMATS = "mov,matroska,avi,mpeg"  # libav's demuxers of mp4 and mov, of mkv and webm, of avi, of mpg
MAX_WAITING_BYTES = 128 * 2**20  # of packets of one stream read before their turn
PACKET_BYTES = 512  # what keeping a packet costs beside its content
MAX_PACKETS = 4_000_000  # of an hour at most, even at a thousand frames a second
READ_ERRORS = (av.error.FFmpegError, OSError, ValueError, ArithmeticError)  # PyAV's bindings raise the latter

AnyStream: TypeAlias = VideoStream | AudioStream
OneStream = TypeVar("OneStream", VideoStream, AudioStream)


@dataclass
class Tally:
    """Packets of a file, and signs of damage in it.

    Attributes:
        bad: packets that gave nothing usable.
        faulty: packets that gave something, with an error message of the decoder or a mark of the container.
        corrupt_frames: pictures or blocks of sound that the decoder marks as damaged or concealed.
        container_errors: error messages of the container's reader.
        sound_jumps: times that the sound's clock does not go on where it was.
    """

    packets: int = 0
    bad: int = 0
    faulty: int = 0
    corrupt_frames: int = 0
    container_errors: int = 0
    sound_jumps: int = 0


def open_container(path: Path) -> InputContainer:
    """A local file of one of the known formats, whatever its suffix.

    Raises:
        MediaError: url, not_a_file, empty, unreadable.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)):
        raise MediaError(f"{path} is a URL and only local files are read; download it first", "url")
    known = f"{path} cannot be read as mp4, mov, mkv, webm, avi or mpg"
    try:
        if not path.is_file():  # a pipe or device would block
            raise MediaError(f"{known}: there is no such file; check the path", "not_a_file")
        if path.stat().st_size == 0:
            raise MediaError(f"{known}: it is empty; copy or write it anew", "empty")
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        return av.open(f"file:{path}", container_options=options, metadata_errors="replace")
    except READ_ERRORS as error:
        text = f"{known} ({type(error).__name__}: {error}); is it whole, and of such a format?"
        raise MediaError(text, "unreadable") from error


def picture_stream(container: InputContainer) -> VideoStream:
    """The first stream of moving pictures; a cover image is none.

    Raises:
        MediaError: no_video, unreadable, too_large.
    """
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise MediaError("has no video stream; a clip needs moving pictures", "no_video")
    stream = _ready(moving[0])
    if stream.width * stream.height > MAX_PIXELS:
        raise MediaError(
            f"is {stream.width} x {stream.height}; at most {MAX_PIXELS} pixels are read, so scale it first",
            "too_large",
        )
    return stream


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first stream of sound, if there is one.

    Raises:
        MediaError: unreadable.
    """
    return _ready(container.streams.audio[0]) if container.streams.audio else None


def _ready(stream: OneStream) -> OneStream:
    context: CodecContext | None = stream.codec_context
    if context is None:
        raise MediaError(
            f"cannot be read: no decoder for the codec of its {stream.type}; encode it anew", "unreadable"
        )
    # many files are read side by side in processes; threads would only compete, and hold more pictures
    context.thread_count = 1
    context.options = {"err_detect": "crccheck"}  # where a stream has checksums (FLAC, MP3, AC-3, HEVC)
    return stream


def declared_s(stream: AnyStream) -> float | None:
    """Length by the header; Matroska keeps the end of each stream in a tag instead.

    For a cut avi libav lowers the duration to what the file's size suggests, but not the number of frames.
    """
    if stream.container.format.name == "avi" and stream.frames and stream.time_base:
        return float(stream.frames * stream.time_base)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)", stream.metadata.get("DURATION", ""))
    if clock is None:
        return None
    hours, minutes, seconds = (float(part) for part in clock.groups())
    start = float((stream.start_time or 0) * (stream.time_base or 0))
    return 3600 * hours + 60 * minutes + seconds - start


class PacketFeed:
    """Packets in the order of the file, handed out by stream.

    A packet whose stream is not asked for waits, compressed. In a well interleaved file that is about a
    second of it; a file that keeps its whole sound behind its whole picture (or whose sound ends long before)
    is read as long as the waiting packets stay below `MAX_WAITING_BYTES`.
    """

    def __init__(self, container: InputContainer, streams: list[AnyStream], tally: Tally) -> None:
        self._packets, self._format = container.demux(*streams), container.format.name
        self._waiting: dict[int, deque[av.Packet[Stream]]] = {s.index: deque() for s in streams}
        self._bytes = 0
        self.tally = tally

    def of(self, stream: AnyStream) -> Iterator[av.Packet[Stream]]:
        """The packets of one stream.

        Raises:
            MediaError: badly_interleaved, damaged.
        """
        own = self._waiting[stream.index]
        while True:
            while own:
                packet = own.popleft()
                self._bytes -= packet.size + PACKET_BYTES
                yield packet
            read = self._read()
            if read is None:
                return
            self._waiting[read.stream.index].append(read)  # a flushing packet's own index is always 0
            self._bytes += read.size + PACKET_BYTES
            if self._bytes > MAX_WAITING_BYTES:
                raise self._too_far(stream)

    def decoded(self, stream: AnyStream) -> Iterator[av.VideoFrame | av.AudioFrame]:
        """The decoded frames of one stream; packets that cannot be decoded are counted."""
        for packet in self.of(stream):
            self.tally.packets += 1
            if self.tally.packets > MAX_PACKETS:
                raise MediaError(f"has more than {MAX_PACKETS} packets; cut it", "too_long")
            for frame in self._frames(packet):
                if isinstance(frame, av.VideoFrame | av.AudioFrame):
                    self.tally.corrupt_frames += frame.is_corrupt
                    yield frame

    def _frames(self, packet: av.Packet[Stream]) -> list[object]:
        with listening() as messages:
            try:
                frames = packet.decode()
            except READ_ERRORS:
                self.tally.bad += 1
                return []
        self.tally.faulty += bool(messages) or packet.is_corrupt
        return list(frames)

    def _read(self) -> av.Packet[Stream] | None:
        with listening() as messages:
            try:
                return next(self._packets, None)
            except READ_ERRORS as error:
                text = f"is damaged: its packets end with {type(error).__name__}: {error}; copy it anew"
                raise MediaError(text, "damaged") from error
            finally:
                self.tally.container_errors += about(self._format, messages)

    @staticmethod
    def _too_far(stream: AnyStream) -> MediaError:
        kind = "sound" if stream.type == "audio" else "picture"
        return MediaError(
            f"is badly interleaved: more than {MAX_WAITING_BYTES >> 20} MiB of the other stream come before "
            f"the next packet of its {kind}; write it anew with both streams side by side, and cut them to "
            "one length if one ends much earlier",
            "badly_interleaved",
        )
