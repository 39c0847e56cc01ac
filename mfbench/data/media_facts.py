"""What a media file turned out to hold, and the error that says why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mfbench.errors import UserError

MAX_PIXELS = 4096 * 4096
MAX_SECONDS = 600.0  # of a file that is read as a whole
MAX_STREAMED_SECONDS = 3600.0  # of one that is read in blocks
MISSING_S = 0.2  # a stream that ends this much before its declared end was cut ...
MISSING_SHARE = 0.05  # ... if this share of it is missing as well
BAD_PACKETS = 0.01  # tolerated share
MISSING_FRAMES, MISSING_SOUND_S = 0.5, 0.05  # what a stream may lack without a word about it

Reason = Literal[
    "url",
    "not_a_file",
    "empty",
    "unreadable",
    "no_video",
    "no_audio",  # only where sound is asked for, as `read_mp4` does
    "no_frames",  # a stream of which nothing can be decoded
    "damaged",
    "truncated",
    "too_large",
    "too_long",
    "too_short",
    "badly_interleaved",
    "not_writable",
]


class MediaError(UserError):
    """A file that cannot be read as a clip, or a clip that cannot be written.

    Attributes:
        reason: for machines, one of `Reason`; the text says what came, what was wanted and what to do.
    """

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason: Reason = reason

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, Reason]]:
        """An exception is pickled with `args` alone, and files are read in worker processes."""
        return MediaError, (str(self), self.reason)


@dataclass(frozen=True)
class MediaFacts:
    """What the file itself held; times in seconds on the container's clock, `None` where there is no sound.

    Attributes:
        container: libav's name of the format.
        start_s: container time of the first returned frame's left border and of the first sample.
        end_s: container time where the last returned frame ends.
        video_declared_s: length by the header, `None` where the format or the writer states none.
        source_fps: from the usual distance of frames.
        source_width_px: as stored, before rotation and before `pixel_aspect` is undone.
        rotation_deg: counter-clockwise turn that makes the picture upright, a multiple of 90.
        pixel_aspect: width / height of a pixel.
        variable_rate: whether some frame stands more than 1.5 usual distances.
        packets: of both streams.
        bad_packets: packets that could not be decoded, or what they held had no place on the time axis.
        faulty_packets: packets that were decoded with an error message, or that the container marks.
        corrupt_frames: pictures or blocks of sound that the decoder marks as damaged, concealed or not.
        container_errors: error messages about the container itself.
        broken_checksums: parts of a Matroska file that differ from what was written.
        sound_jumps: times that the sound's clock leaves a gap or goes back.
        duplicated_frames: returned frames that repeat the source frame before them.
        dropped_frames: source frames between two returned ones that are on screen at no frame's centre.
    """

    container: str
    video_codec: str
    audio_codec: str | None
    start_s: float
    end_s: float
    video_start_s: float
    video_end_s: float
    audio_start_s: float | None
    audio_end_s: float | None
    video_declared_s: float | None
    audio_declared_s: float | None
    source_fps: float
    source_frames: int
    source_width_px: int
    source_height_px: int
    rotation_deg: int
    pixel_aspect: float
    variable_rate: bool
    channels: int | None
    source_rate_hz: int | None
    packets: int
    bad_packets: int
    faulty_packets: int
    corrupt_frames: int
    container_errors: int
    broken_checksums: int
    sound_jumps: int
    duplicated_frames: int
    dropped_frames: int

    @property
    def damage(self) -> tuple[str, ...]:
        """Signs of damage that do not keep the file from being read, in words; empty where there is none.

        A change inside a packet that leaves a valid stream without a checksum shows nowhere: nothing tells it
        from another film.
        """
        signs = (
            (self.bad_packets, "packets could not be decoded"),
            (self.faulty_packets, "packets were decoded with errors"),
            (self.corrupt_frames, "pictures or blocks of sound are marked as corrupt"),
            (self.container_errors, "errors in the container"),
            (self.broken_checksums, "checksums of the container do not fit"),
            (self.sound_jumps, "jumps in the clock of the sound"),
        )
        return (*(f"{count} {text}" for count, text in signs if count), *self._early_ends())

    def _early_ends(self) -> Iterator[str]:
        """Streams that lack something, though too little for a file that was cut."""
        ends = (
            ("picture", self.video_declared_s, self.video_decoded_s, MISSING_FRAMES / self.source_fps),
            ("sound", self.audio_declared_s, self.audio_decoded_s, MISSING_SOUND_S),
        )
        for what, declared_s, decoded_s, tolerated_s in ends:
            if declared_s is not None and decoded_s is not None and declared_s - decoded_s > tolerated_s:
                yield f"{what} ends {1000 * (declared_s - decoded_s):.0f} ms before its declared end"

    @property
    def has_audio(self) -> bool:
        """Whether the file has a stream of sound (silent or not)."""
        return self.audio_codec is not None

    @property
    def video_decoded_s(self) -> float:
        """From the first picture to the end of the last."""
        return self.video_end_s - self.video_start_s

    @property
    def audio_decoded_s(self) -> float | None:
        """From the first sample to the last."""
        if self.audio_start_s is None or self.audio_end_s is None:
            return None
        return self.audio_end_s - self.audio_start_s

    @property
    def mux_offset_ms(self) -> float | None:
        """Start of the sound minus start of the picture."""
        return None if self.audio_start_s is None else 1000 * (self.audio_start_s - self.video_start_s)

    @property
    def duration_gap_ms(self) -> float | None:
        """End of the sound minus end of the picture."""
        return None if self.audio_end_s is None else 1000 * (self.audio_end_s - self.video_end_s)
