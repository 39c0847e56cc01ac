"""After the last block: what the file held, and whether it was whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from mfbench.data.checksums import broken_checksums
from mfbench.data.decoding import Tally, declared_s
from mfbench.data.media_facts import BAD_PACKETS, MISSING_S, MISSING_SHARE, MediaError, MediaFacts
from mfbench.data.picture_track import PictureTrack
from mfbench.data.pictures import quarter_turns
from mfbench.data.sound_track import SoundTrack

MAX_ROUNDING_S = 2e-3  # of the times of both streams together


@dataclass
class Reading:
    """A file while it is read, and which source frames went into the grid."""

    path: Path
    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    pictures: PictureTrack
    sound: SoundTrack | None
    rate: Fraction
    frames: int = 0
    distinct: int = 0
    skipped: int = 0
    _last: int | None = None

    @property
    def start_s(self) -> float:
        """Container time of the first frame's left border."""
        return max(self.pictures.first_s, 0.0)

    def count(self, numbers: list[int]) -> None:
        """Account for the source frames that the next grid frames show."""
        self.frames += len(numbers)
        for number in numbers:
            if number != self._last:
                self.distinct += 1
                self.skipped += 0 if self._last is None else number - self._last - 1
                self._last = number

    def frame_s(self) -> float:
        """The usual distance of frames; of a single one how long it stays, by the file or else the grid."""
        return self.pictures.gaps.usual_s() or self.pictures.now.stays_s or float(1 / self.rate)

    def video_end_s(self) -> float:
        """Where the last picture known so far ends.

        It stays for the usual distance, or longer where the file says so and its declared length agrees.
        """
        last = self.pictures.now
        declared_end_s = self.pictures.first_s + (declared_s(self.video) or 0.0)
        return last.time_s + max(self.frame_s(), min(last.stays_s, declared_end_s - last.time_s))

    def end_s(self) -> float:
        """Container time where the first stream ends; known when one has ended."""
        ends = [self.video_end_s() if self.pictures.following is None else math.inf]
        if self.sound is not None and self.sound.ended:
            ends.append(self.sound.end_s)
        return min(ends)


def facts_of(reading: Reading) -> MediaFacts:
    """Decode what is left, without keeping it, and judge the whole.

    Raises:
        MediaError: no_frames, damaged, truncated, too_short.
    """
    reading.pictures.advance(math.inf)
    if reading.sound is not None:
        reading.sound.drain()
    facts = _facts(reading)
    _check_packets(facts)
    _check_whole(facts, reading.container)
    together_s = reading.end_s() - max(facts.start_s, facts.audio_start_s or 0.0)
    if not reading.frames or together_s < float(1 / reading.rate) - MAX_ROUNDING_S:
        raise MediaError(
            f"has picture and sound together for {max(together_s, 0.0):.3f} s only, less than one frame; "
            "are they muxed at the right time?",
            "too_short",
        )
    return facts


def _facts(reading: Reading) -> MediaFacts:
    video, audio, pictures, sound = reading.video, reading.audio, reading.pictures, reading.sound
    tally: Tally = pictures.tally
    if sound is not None and sound.start_s is None:
        raise MediaError(f"has no decodable audio ({tally.bad} bad packets)", "no_frames")
    usual_s = reading.frame_s()
    return MediaFacts(
        container=reading.container.format.name,
        video_codec=video.codec_context.name,
        audio_codec=None if audio is None else audio.codec_context.name,
        start_s=reading.start_s,
        end_s=reading.start_s + float(reading.frames / reading.rate),
        video_start_s=pictures.first_s,
        video_end_s=reading.video_end_s(),
        audio_start_s=None if sound is None else sound.start_s,
        audio_end_s=None if sound is None else sound.end_s,
        video_declared_s=declared_s(video),
        audio_declared_s=None if audio is None else declared_s(audio),
        source_fps=1 / usual_s,
        source_frames=pictures.number + 1,
        source_width_px=video.width,
        source_height_px=video.height,
        rotation_deg=90 * quarter_turns(pictures.now.frame),
        pixel_aspect=float(video.sample_aspect_ratio or 1),
        variable_rate=pictures.gaps.longest_s > 1.5 * usual_s,
        channels=None if audio is None else audio.codec_context.layout.nb_channels,
        source_rate_hz=None if audio is None else audio.codec_context.sample_rate,
        packets=tally.packets,
        bad_packets=tally.bad,
        faulty_packets=tally.faulty,
        corrupt_frames=tally.corrupt_frames,
        container_errors=tally.container_errors,
        broken_checksums=broken_checksums(reading.path, reading.container.format.name),
        sound_jumps=tally.sound_jumps,
        duplicated_frames=reading.frames - reading.distinct,
        dropped_frames=reading.skipped,
    )


def _check_packets(facts: MediaFacts) -> None:
    if facts.bad_packets > max(1.0, BAD_PACKETS * facts.packets):
        raise MediaError(
            f"is damaged: {facts.bad_packets} of {facts.packets} packets cannot be decoded; "
            "copy or encode it anew",
            "damaged",
        )


def _check_whole(facts: MediaFacts, container: InputContainer) -> None:
    _check_end("video", facts.video_declared_s, facts.video_decoded_s)
    _check_end("audio", facts.audio_declared_s, facts.audio_decoded_s)
    if facts.video_declared_s is None and facts.audio_declared_s is None and container.duration:
        last_s = max(facts.video_end_s, facts.audio_end_s or 0.0)
        _check_end("picture and sound", container.duration / 1e6, last_s - min(0.0, facts.video_start_s))


def _check_end(what: str, declared: float | None, decoded: float | None) -> None:
    if declared is None or decoded is None:
        return
    if declared - decoded > max(MISSING_S, MISSING_SHARE * declared):
        raise MediaError(
            f"is truncated: it declares {declared:.2f} s of {what} and holds {decoded:.2f} s; "
            "copy or download it anew",
            "truncated",
        )
