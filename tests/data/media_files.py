"""Small media files of every kind, written with libav."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.stream import Stream
from numpy.typing import NDArray

RATE_HZ = 16000
Packet: TypeAlias = "av.Packet[Stream]"
CODECS = {
    ".mp4": ("libx264", "aac", "yuv420p"),
    ".mov": ("mpeg4", "pcm_s16le", "yuv420p"),
    ".mkv": ("libx264", "aac", "yuv420p"),
    ".webm": ("libvpx", "libopus", "yuv420p"),
    ".avi": ("mpeg4", "pcm_s16le", "yuv420p"),
    ".mpg": ("mpeg2video", "mp2", "yuv420p"),
}


@dataclass(frozen=True)
class Recipe:
    """How to write a file; what is `None` follows the suffix."""

    fps: Fraction = Fraction(25)
    sound_hz: int | None = None
    layout: str = "mono"
    video: str | None = None
    audio: str | None = None
    pixels: str | None = None
    late_s: float = 0.0  # of the sound
    rotation: int = 0
    pixel_aspect: Fraction | None = None
    times: tuple[int, ...] = ()  # of the frames, in frames; empty means one after the other
    quantiser: int | None = None  # of x264
    options: tuple[tuple[str, str], ...] = ()

    def rate_hz(self, path: Path) -> int:
        return self.sound_hz or {".webm": 48000, ".mpg": 44100}.get(path.suffix, RATE_HZ)


def write(
    path: Path, frames: NDArray[np.uint8], sound: NDArray[np.float32] | None, recipe: Recipe = Recipe()
) -> Path:
    """Frames [n, h, w, 3] and mono sound, side by side; the sound begins `late_s` late."""
    video, audio, pixels = CODECS[path.suffix]
    rate_hz = recipe.rate_hz(path)
    with av.open(str(path), "w", options=dict(recipe.options)) as container:
        name = recipe.video or video
        # a fixed quantiser on one thread: with rate control x264 does not always write the same bytes
        exact = {"qp": str(recipe.quantiser)} if recipe.quantiser and name == "libx264" else {}
        picture = container.add_stream(name, rate=recipe.fps, options=exact)
        picture.height, picture.width = frames.shape[1:3]
        picture.pix_fmt = recipe.pixels or pixels
        picture.codec_context.bit_rate = 2_000_000
        picture.codec_context.thread_count = 1
        if recipe.rotation:
            picture.set_display_rotation(recipe.rotation)
        if recipe.pixel_aspect is not None:
            picture.codec_context.sample_aspect_ratio = recipe.pixel_aspect
        heard = None
        if sound is not None:
            heard = container.add_stream(recipe.audio or audio, rate=rate_hz, layout=recipe.layout)
            heard.codec_context.thread_count = 1
        done = 0
        times = recipe.times or tuple(range(len(frames)))
        for number, image in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, 1 / recipe.fps
            container.mux(picture.encode(frame))
            while (
                heard is not None
                and sound is not None
                and done < min(len(sound), (number + 1) / recipe.fps * rate_hz)
            ):
                container.mux(heard.encode(block(sound, done, rate_hz, recipe)))
                done += 1024
        while heard is not None and sound is not None and done < len(sound):
            container.mux(heard.encode(block(sound, done, rate_hz, recipe)))
            done += 1024
        container.mux(picture.encode(None))
        if heard is not None:
            container.mux(heard.encode(None))
    return path


def block(sound: NDArray[np.float32], start: int, rate_hz: int, recipe: Recipe) -> av.AudioFrame:
    channels = {"mono": 1, "stereo": 2}[recipe.layout]
    samples = np.repeat(sound[None, start : start + 1024], channels, axis=0)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=recipe.layout)
    frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
    frame.pts = start + round(recipe.late_s * rate_hz)
    return frame


def still(frames: int, height: int = 32, width: int = 32, level: int = 90) -> NDArray[np.uint8]:
    return np.full((frames, height, width, 3), level, np.uint8)


def ladder(frames: int, side: int = 32) -> NDArray[np.uint8]:
    """Frames that each have their own grey, four levels apart, twice over from 20 on."""
    levels = (20 + 4 * (np.arange(frames) % 56)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(levels[:, None, None, None], (frames, side, side, 3)))


def tone(seconds: float, rate_hz: int = RATE_HZ, frequency_hz: float = 440.0) -> NDArray[np.float32]:
    return (0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def clicks(times_s: list[float], seconds: float, rate_hz: int) -> NDArray[np.float32]:
    """Silence with 6 ms of a rising and falling 1 kHz tone centred at every time."""
    out = np.zeros(round(seconds * rate_hz), np.float32)
    for time_s in times_s:
        near = np.arange(
            max(round((time_s - 0.003) * rate_hz), 0), min(round((time_s + 0.003) * rate_hz), len(out))
        )
        t = near / rate_hz - time_s
        out[near] = 0.8 * np.cos(2 * np.pi * 1000 * t) * np.cos(np.pi * t / 0.006) ** 2
    return out


def click_times_s(waveform: NDArray[np.float32], count: int) -> list[float]:
    """Centres of the clicks, by the peaks of the correlation with one."""
    shape = clicks([0.004], 0.008, RATE_HZ)
    match = np.correlate(waveform, shape, mode="same")
    found = []
    for _ in range(count):
        peak = int(np.argmax(match))
        found.append(peak / RATE_HZ)
        match[max(peak - RATE_HZ // 10, 0) : peak + RATE_HZ // 10] = -np.inf
    return sorted(found)


def remuxed(source: Path, target: Path, order: str = "va", options: dict[str, str] | None = None) -> Path:
    """The packets anew: all of the streams in `order`, one stream after the other; others are left out."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=options or {}) as new:
        copies = {s.index: new.add_stream_from_template(s) for s in old.streams if s.type[0] in order}
        packets = [p for p in old.demux() if p.dts is not None and p.stream.index in copies]
        for packet in sorted(packets, key=lambda p: order.index(p.stream.type[0])):
            packet.stream = copies[packet.stream.index]
            new.mux(packet)
    return target
