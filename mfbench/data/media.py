"""Clips as mp4 files: H.264 and AAC through PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from mfbench import files
from mfbench.data.media_facts import MAX_SECONDS, MediaError, MediaFacts
from mfbench.data.streaming import Grid, finest_block_s, open_media

__all__ = ["Media", "MediaError", "MediaFacts", "read_mp4", "write_mp4"]

AAC_BLOCK = 1024  # samples of an AAC packet
AUDIO_BIT_RATE = 96_000
CONSTANT_QUALITY = 12  # x264's crf; flat drawings show ringing before films do
COLOUR = {
    "colorspace": 6,
    "color_primaries": 6,
    "color_trc": 6,
    "color_range": 1,
}  # BT.601, as swscale converts


@dataclass(frozen=True)
class Media:
    """A clip: frames uint8 [n, size, size, 3], waveform float32 [round(n / fps * rate)], mono."""

    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]
    facts: MediaFacts


def write_mp4(
    path: Path, frames: NDArray[np.uint8], waveform: NDArray[np.float32], *, fps: float, sample_rate_hz: int
) -> None:
    """Write yuv420p pictures and sound, interleaved, in one step; the same libraries repeat the same bytes.

    Args:
        path: of the file; its folder must exist.
        frames: [n, height, width, 3]; even sides, which the halved chroma planes need.
        waveform: [samples], mono, in [-1, 1].
        fps: of the frames.
        sample_rate_hz: of the waveform.
    """
    _check_writable(frames, waveform)
    # bitexact leaves out the date and the library version
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    rate = Fraction(fps).limit_denominator(1001)
    with (
        files.beside(path) as part,
        av.open(f"file:{part}", "w", format="mp4", options=options) as container,
    ):
        _encode(container, frames, waveform, rate, sample_rate_hz)


def read_mp4(path: Path, *, fps: float, sample_rate_hz: int, size_px: int) -> Media:
    """Read a clip at the wanted rates and size.

    Frame k shows what is on screen at start + (k + 0.5) / fps, without blending, so any source rate and
    variable rates work. The clip begins with the first frame at or after time 0 and ends with the earlier of
    the two streams. Pictures are turned upright, cropped about the centre and averaged down.

    Raises:
        MediaError: a URL, a file without decodable video or sound, damaged or cut, or too large.
    """
    finest = finest_block_s(fps, sample_rate_hz)
    block_s = float(finest * max(round(1 / finest), 1))
    reader = open_media(path, Grid(fps, size_px, sample_rate_hz, block_s), limit_s=MAX_SECONDS)
    if not reader.has_audio:
        reader.close()
        raise MediaError(f"{path} has no audio stream; a clip needs picture and sound", "no_audio")
    blocks = list(reader)
    frames = np.concatenate([block.frames for block in blocks])
    waveform = np.concatenate([block.waveform for block in blocks])
    return Media(frames, waveform, reader.facts)


def _encode(
    container: OutputContainer,
    frames: NDArray[np.uint8],
    waveform: NDArray[np.float32],
    rate: Fraction,
    sample_rate_hz: int,
) -> None:
    # one thread, because the bytes x264 writes depend on how many there are
    quality = {"crf": str(CONSTANT_QUALITY), "preset": "veryfast", "threads": "1"}
    picture = container.add_stream("libx264", rate=rate, options=quality)
    picture.height, picture.width = frames.shape[1:3]
    picture.pix_fmt = "yuv420p"
    for name, value in COLOUR.items():
        setattr(picture.codec_context, name, value)
    sound = container.add_stream("aac", rate=sample_rate_hz, layout="mono", options={"threads": "1"})
    sound.bit_rate = AUDIO_BIT_RATE
    shown = 0
    for start in range(0, len(waveform), AAC_BLOCK):
        while shown < len(frames) and shown / rate <= Fraction(start, sample_rate_hz):
            container.mux(picture.encode(_video_frame(frames[shown], shown, rate)))
            shown += 1
        container.mux(sound.encode(_audio_frame(waveform, start, sample_rate_hz)))
    for k in range(shown, len(frames)):
        container.mux(picture.encode(_video_frame(frames[k], k, rate)))
    container.mux(picture.encode(None))
    container.mux(sound.encode(None))


def _check_writable(frames: NDArray[np.uint8], waveform: NDArray[np.float32]) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise MediaError(
            f"write_mp4 takes uint8 [n, h, w, 3] frames, got {frames.dtype} {frames.shape}", "not_writable"
        )
    if frames.shape[1] % 2 or frames.shape[2] % 2:
        height, width = frames.shape[1:3]
        raise MediaError(
            f"yuv420p needs even sides, got {width} x {height}; crop or pad by one pixel", "not_writable"
        )
    if waveform.ndim != 1 or not len(waveform):
        raise MediaError(
            f"write_mp4 takes a mono waveform [samples], got shape {waveform.shape}", "not_writable"
        )


def _video_frame(picture: NDArray[np.uint8], index: int, rate: Fraction) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = index, 1 / rate
    return frame


def _audio_frame(waveform: NDArray[np.float32], start: int, sample_rate_hz: int) -> av.AudioFrame:
    block = np.ascontiguousarray(waveform[None, start : start + AAC_BLOCK], dtype=np.float32)
    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate_hz, start, Fraction(1, sample_rate_hz)
    return frame
