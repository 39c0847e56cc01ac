"""Decode an mp4 with picture and sound on one time axis.

The time of a sample or frame is its presentation time stamp times the time base, after the container's edit
lists (which also hide the priming samples of AAC). Decoded blocks are never joined end to end: a file whose
sound starts late, or has a gap, would play early from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from mfbench.errors import UserError

MAX_PIXELS = 4096 * 4096
MAX_SECONDS = 600.0
MISSING_S = 0.2  # a stream that ends this much before its declared end was cut
BAD_PACKETS = 0.01  # tolerated share


class MediaError(UserError):
    """A file that cannot be read as a clip, or a clip that cannot be written."""


@dataclass(frozen=True)
class MediaFacts:
    """What the file itself held; times in seconds on the container's clock.

    Attributes:
        start_s: container time of the first returned frame's left border and of the first sample.
        source_fps: from the median distance of frames.
        variable_rate: whether some frame stands more than 1.5 median distances.
        bad_packets: packets that could not be decoded.
    """

    start_s: float
    video_start_s: float
    video_end_s: float
    audio_start_s: float
    audio_end_s: float
    source_fps: float
    source_frames: int
    variable_rate: bool
    bad_packets: int


@dataclass(frozen=True)
class Media:
    """A clip: frames uint8 [n, size, size, 3], waveform float32 [round(n / fps * rate)], mono."""

    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]
    facts: MediaFacts


class Streams:
    """Pictures and sound blocks of an open container with their times."""

    def __init__(self, path: Path, container: InputContainer, sample_rate_hz: int, size_px: int) -> None:
        if not container.streams.video or not container.streams.audio:
            missing = "audio" if container.streams.video else "video"
            raise MediaError(f"{path} has no {missing} stream; a clip needs picture and sound")
        self.path, self.sample_rate_hz, self.size_px = path, sample_rate_hz, size_px
        self.video, self.audio = container.streams.video[0], container.streams.audio[0]
        self.pictures: list[tuple[float, NDArray[np.uint8]]] = []
        self.blocks: list[tuple[float, NDArray[np.float32]]] = []
        self.pixel_aspect = float(self.video.sample_aspect_ratio or 1)  # width / height of a pixel
        self.packets = self.bad_packets = 0
        self._check_size()
        self._decode(container)

    def _check_size(self) -> None:
        pixels, seconds = self.video.width * self.video.height, _declared_s(self.video)
        if pixels > MAX_PIXELS or seconds > MAX_SECONDS:
            raise MediaError(
                f"{self.path} is {self.video.width} x {self.video.height} and {seconds:.0f} s long; at most "
                f"{MAX_PIXELS} pixels and {MAX_SECONDS:.0f} s are read, so cut or scale it first"
            )

    def _decode(self, container: InputContainer) -> None:
        resampler = AudioResampler(format="flt", layout="mono", rate=self.sample_rate_hz)
        for packet in container.demux(self.video, self.audio):
            self.packets += 1
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.bad_packets += 1
                continue
            for frame in decoded:
                if isinstance(frame, av.AudioFrame):
                    self._keep_sound(resampler.resample(frame))
                elif isinstance(frame, av.VideoFrame):
                    self._keep_picture(frame)
        if self.blocks:
            self._keep_sound(resampler.resample(None))  # what the filter still holds
        self.pictures.sort(key=lambda item: item[0])

    def _keep_picture(self, frame: av.VideoFrame) -> None:
        if frame.pts is None:  # such a frame has no place on the axis
            self.bad_packets += 1
            return
        self.pictures.append((frame.time, square(frame, self.size_px, self.pixel_aspect)))

    def _keep_sound(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1).astype(np.float32)
            follows_s = self.audio_end_s if self.blocks else 0.0
            self.blocks.append((follows_s if frame.time is None else frame.time, samples))

    @property
    def audio_end_s(self) -> float:
        """Where the last block of sound ends."""
        start_s, samples = self.blocks[-1]
        return start_s + len(samples) / self.sample_rate_hz

    def clip(self, fps: float) -> Media:
        """The clip where both streams run, at the wanted frame rate."""
        self._check_decoded()
        times = np.array([time for time, _ in self.pictures])
        gaps = np.diff(times)
        shown_s = float(np.median(gaps)) if len(gaps) else 1 / fps
        facts = MediaFacts(
            start_s=max(float(times[0]), 0.0),
            video_start_s=float(times[0]),
            video_end_s=float(times[-1]) + shown_s,
            audio_start_s=self.blocks[0][0],
            audio_end_s=self.audio_end_s,
            source_fps=1 / shown_s,
            source_frames=len(times),
            variable_rate=bool((gaps > 1.5 * shown_s).any()),
            bad_packets=self.bad_packets,
        )
        self._check_whole(facts)
        seconds = min(facts.video_end_s, facts.audio_end_s) - facts.start_s
        count = int(np.floor(seconds * fps + 1e-3))  # a thousandth of a frame: time bases are rounded
        if count < 1:
            raise MediaError(
                f"{self.path}: picture and sound overlap for {seconds:.3f} s, less than one frame"
            )
        centres = facts.start_s + (np.arange(count) + 0.5) / fps
        shown = np.clip(np.searchsorted(times, centres + 1e-9, side="right") - 1, 0, None)
        frames = np.stack([self.pictures[i][1] for i in shown])
        return Media(frames, self._placed(facts.start_s, round(count / fps * self.sample_rate_hz)), facts)

    def _placed(self, start_s: float, count: int) -> NDArray[np.float32]:
        """Each block at its own time; gaps stay silent."""
        out = np.zeros(count, np.float32)
        for time_s, samples in self.blocks:
            at = round((time_s - start_s) * self.sample_rate_hz)
            first, last = max(at, 0), min(at + len(samples), count)
            if last > first:
                out[first:last] = samples[first - at : last - at]
        return out

    def _check_decoded(self) -> None:
        for what, kept in (("video frame", self.pictures), ("audio", self.blocks)):
            if not kept:
                raise MediaError(f"{self.path} has no decodable {what} ({self.bad_packets} bad packets)")
        if self.bad_packets > max(1.0, BAD_PACKETS * self.packets):
            raise MediaError(
                f"{self.path} is damaged: {self.bad_packets} of {self.packets} packets cannot be decoded; "
                "copy or encode it anew"
            )

    def _check_whole(self, facts: MediaFacts) -> None:
        for what, stream, seconds in (
            ("video", self.video, facts.video_end_s - facts.video_start_s),
            ("audio", self.audio, facts.audio_end_s - facts.audio_start_s),
        ):
            declared = _declared_s(stream)
            if declared - seconds > MISSING_S:
                raise MediaError(
                    f"{self.path} is truncated: it declares {declared:.2f} s of {what} and holds "
                    f"{seconds:.2f} s; copy or download it anew"
                )


def square(frame: av.VideoFrame, size_px: int, pixel_aspect: float) -> NDArray[np.uint8]:
    """Upright RGB [size, size, 3]: the centre square in display shape, averaged over source pixels."""
    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
    side = min(image.width * pixel_aspect, image.height)
    across, left = side / pixel_aspect, (image.width - side / pixel_aspect) / 2
    top = (image.height - side) / 2
    smaller = side >= size_px and across >= size_px
    method = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    cut = image.resize((size_px, size_px), method, box=(left, top, left + across, top + side))
    quarter_turns = round((frame.rotation or 0) / 90)  # counter-clockwise, as np.rot90 turns
    return np.ascontiguousarray(np.rot90(np.asarray(cut, dtype=np.uint8), quarter_turns))


def _declared_s(stream: VideoStream | AudioStream) -> float:
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)
