"""What must not move a judge of sync (codec, light, gain, noise, frame rate), and what must not fool it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from mfbench.bench.judging.check import Check, at_most
from mfbench.bench.judging.kit import FRAME_RATE_HZ, Kit
from mfbench.bench.judging.sync_checks import JUDGES, Anchors
from mfbench.bench.judging.takes import Takes, draw, view
from mfbench.character.face import MOTION_PARAMETERS
from mfbench.mel import SAMPLE_RATE_HZ
from mfbench.metrics import judged_sync
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.images import Pixels

FloatArray = NDArray[np.float32]

SIZE_PX = 128  # of what goes through the codec
CODEC_QUALITIES = (18, 28, 36)  # x264's crf
SYLLABLES_HZ = 4.5
_ROUNDING = 1e-6  # frames; a time on a border belongs to the frame that begins there
_OPEN = MOTION_PARAMETERS.index("open")


def invariance(kit: Kit, takes: Takes, known: dict[str, Anchors]) -> Iterator[Check]:
    """Change what is no matter of sync; confidence may move by a tenth of its range, the offset by 10 ms."""
    plain = view(kit, takes.pictures(SIZE_PX), takes.sound())
    for name, changed in nuisances(kit, takes):
        for judge, curves in JUDGES.items():
            before, after = curves(plain), curves(changed)
            moved = judged_sync.confidence(after).mean() - judged_sync.confidence(before).mean()
            offset = np.median(judged_sync.offset_ms(after) - judged_sync.offset_ms(before))
            share = float(abs(moved) / known[judge].reach)
            yield at_most(f"{name} moves confidence by (share of range), {judge}", share, 0.1)
            yield at_most(f"{name} moves the offset by (ms), {judge}", float(abs(offset)), 10.0)


def nuisances(kit: Kit, takes: Takes) -> Iterator[tuple[str, Observation]]:
    """Views of the same clips under every nuisance."""
    pictures, sound = takes.pictures(SIZE_PX), takes.sound()
    for quality in CODEC_QUALITIES:
        yield f"H.264 at crf {quality}", view(kit, through_codec(pictures, quality), sound)
    for percent in (-20, 20):
        lit = np.clip(pictures * (1 + percent / 100), 0, 255).astype(np.uint8)
        yield f"brightness {percent:+d} %", view(kit, lit, sound)
    for gain_db in (-12, 12):
        louder = (sound * 10 ** (gain_db / 20)).astype(np.float32)  # clipping would be another nuisance
        yield f"gain {gain_db:+d} dB", view(kit, pictures, louder)
    noise = np.random.default_rng(0).standard_normal(sound.shape)
    level = np.sqrt((sound**2).mean(1, keepdims=True)) / 10  # 20 dB below
    yield "noise at 20 dB SNR", view(kit, pictures, (sound + level * noise).astype(np.float32))
    for fps in (24.0, 30.0):
        yield f"{fps:g} frames per second", view(kit, at_rate(pictures, fps), sound)


def through_codec(pictures: Pixels, quality: int) -> Pixels:
    """Pictures [clips, frames, size, size, 3] after H.264 at a constant rate factor."""
    return np.stack([_coded(clip, quality) for clip in pictures])


def _coded(clip: Pixels, quality: int) -> Pixels:
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        options = {"crf": str(quality), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(FRAME_RATE_HZ), options=options)
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in clip:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory, "r", format="mp4") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.asarray(np.stack(frames), dtype=np.uint8)


def at_rate(pictures: Pixels, fps: float) -> Pixels:
    """As a film of another frame rate shows them: each picture stays until the next one is due."""
    centres = (np.arange(pictures.shape[1]) + 0.5) / FRAME_RATE_HZ
    shown = (np.floor(centres * fps + _ROUNDING) + 0.5) / fps  # centre of the source frame on screen
    source = np.floor(shown * FRAME_RATE_HZ + _ROUNDING).astype(int)
    source = np.clip(source, 0, pictures.shape[1] - 1)
    return np.asarray(pictures[:, source], dtype=np.uint8)


def floors(kit: Kit, takes: Takes, known: dict[str, Anchors]) -> Iterator[Check]:
    """Silence, a tone, a frozen face and random mouths must look like strangers, or like nothing at all."""
    pictures, sound = takes.pictures(), takes.sound()
    times = np.arange(sound.shape[1]) / SAMPLE_RATE_HZ
    tone = np.tile((0.2 * np.sin(2 * np.pi * 220 * times)).astype(np.float32), (len(sound), 1))
    made: dict[str, tuple[Pixels, FloatArray]] = {
        "silence": (pictures, np.zeros_like(sound)),
        "a constant tone": (pictures, tone),
        "a frozen face": (np.repeat(pictures[:, :1], pictures.shape[1], axis=1), sound),
        "a random mouth": (draw(with_opening(takes, _random_opening)), sound),
    }
    for name, (shown, heard) in made.items():
        seen = view(kit, shown, heard)
        for judge, curves in JUDGES.items():
            values = judged_sync.speaking_only(judged_sync.confidence(curves(seen)), seen)
            excess = -np.inf if np.isnan(values).all() else (np.nanmean(values) - known[judge].null)
            limit = 2 * known[judge].null_sd
            yield at_most(f"{name} above strangers (2 sd allowed), {judge}", float(max(excess, -1.0)), limit)


def oscillating_mouth(kit: Kit, takes: Takes, known: dict[str, Anchors]) -> Iterator[Check]:
    """A mouth that opens at the rate of syllables, whatever is said, must stay under 30 % of the range."""
    seen = view(kit, draw(with_opening(takes, _oscillation)), takes.sound())
    for judge, curves in JUDGES.items():
        value = float(judged_sync.confidence(curves(seen)).mean())
        share = (value - known[judge].null) / known[judge].reach
        yield at_most(f"oscillating mouth, share of the range, {judge}", share, 0.3)


def with_opening(takes: Takes, opening: Callable[[int, int], FloatArray]) -> FloatArray:
    """Face parameters with another opening of the mouth per clip."""
    face = takes.face.copy()
    for clip in range(len(face)):
        face[clip, :, _OPEN] = opening(clip, face.shape[1])
    return face


def _oscillation(clip: int, frames: int) -> FloatArray:
    phase = 2 * np.pi * (SYLLABLES_HZ * (np.arange(frames) + 0.5) / FRAME_RATE_HZ + 0.137 * clip)
    return np.asarray(0.4 + 0.4 * np.sin(phase), dtype=np.float32)


def _random_opening(clip: int, frames: int) -> FloatArray:
    rng = np.random.default_rng([7, clip])
    smooth = np.convolve(rng.standard_normal(frames + 4), np.ones(5) / 5, mode="valid")
    return np.asarray(np.clip(0.35 + 0.6 * smooth, 0, 1), dtype=np.float32)
