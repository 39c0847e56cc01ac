"""A film as an adapter of the full tier wants it: its own rate, size and sound, and what a manifest adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfbench.bench.scoring.own_sound import OwnSound
from mfbench.data.manifest import ClipEntry, FaceBox
from mfbench.data.streaming import Block, Grid, finest_block_s, open_media
from mfbench.metrics.full.base import ByteArray, ClipMedia, FloatArray, Needs

LONGEST_S = 60.0
MOST_BYTES = 2**31  # of pictures that are held at once
BLOCK_S = 1.0
USUAL_FPS = (
    10.0,
    12.5,
    15.0,
    16.0,
    20.0,
    24000 / 1001,
    24.0,
    25.0,
    30000 / 1001,
    30.0,
    50.0,
    60000 / 1001,
    60.0,
)
NO_PICTURE_FPS, NO_PICTURE_PX = 25.0, 16  # where an adapter only listens
UNUSED_SOUND_HZ = 8000


@dataclass(frozen=True)
class Source:
    """What the first pass found out about a file.

    Attributes:
        width_px, height_px: as stored, before rotation.
        pixel_aspect: width / height of a pixel.
    """

    fps: float
    frames: int
    width_px: int
    height_px: int
    pixel_aspect: float
    rotation_deg: int
    variable_rate: bool

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> Source:
        """From the facts of a film."""
        numbers = {name: float(str(facts[name])) for name in ("source_fps", "pixel_aspect")}
        counts = {
            name: int(str(facts[name]))
            for name in ("source_frames", "source_width_px", "source_height_px", "rotation_deg")
        }
        return cls(
            fps=next(
                (u for u in USUAL_FPS if abs(u / numbers["source_fps"] - 1) < 2e-4), numbers["source_fps"]
            ),
            frames=counts["source_frames"],
            width_px=counts["source_width_px"],
            height_px=counts["source_height_px"],
            pixel_aspect=numbers["pixel_aspect"],
            rotation_deg=counts["rotation_deg"],
            variable_rate=bool(facts["variable_rate"]),
        )


@dataclass(frozen=True)
class Prepared:
    """A film for an adapter, and what should be known about it."""

    media: ClipMedia
    seconds: float
    notes: tuple[str, ...]


def prepare(entry: ClipEntry, video: Path, source: Source, needs: Needs) -> Prepared:
    """Read a film on an adapter's grid; of a film longer than 60 s the beginning.

    Raises:
        MediaError: if the film cannot be read.
        ValueError: for side information that does not fit the film.
        OSError: for a reference image that cannot be read.
    """
    grid = grid_of(needs, source)
    longest_s = _longest_s(needs, source, grid)
    frames, sounds, cut, has_sound = _read(entry, video, grid, needs, longest_s)
    pictures = np.concatenate(frames) if frames else np.zeros((0, 1, 1, 3), np.uint8)
    waveform = np.concatenate(sounds)
    faces = None
    if "faces" in needs.side and entry.face_boxes is not None:
        faces = face_rows(entry.face_boxes, pictures.shape, source, float(grid.rate), needs)
    image = entry.reference_image if "reference_image" in needs.side else None
    media = ClipMedia(
        frames=pictures,
        waveform=waveform if needs.sample_rate_hz is not None and has_sound else None,
        caption=entry.caption,
        transcript=entry.transcript,
        reference_image=None if image is None else _image(image),
        faces=faces,
    )
    notes = (f"only the first {longest_s:.4g} s are read",) if cut else ()
    return Prepared(media, len(waveform) / grid.sample_rate_hz, notes)


def grid_of(needs: Needs, source: Source) -> Grid:
    """Blocks of at least a second, on rates that frames and samples fit into."""
    fps = Fraction(needs.fps or (source.fps if needs.frames else NO_PICTURE_FPS)).limit_denominator(1001)
    rate_hz = needs.sample_rate_hz or fps.numerator * -(-UNUSED_SOUND_HZ // fps.numerator)
    size_px = needs.size_px or round(min(source.height_px, source.width_px * source.pixel_aspect))
    finest_s = finest_block_s(float(fps), rate_hz)
    return Grid(
        fps=float(fps),
        size_px=size_px if needs.frames else NO_PICTURE_PX,
        sample_rate_hz=rate_hz,
        block_s=float(finest_s * -(-Fraction(BLOCK_S) // finest_s)),
        fit=needs.fit,
    )


def face_rows(
    boxes: tuple[FaceBox, ...], shape: tuple[int, ...], source: Source, fps: float, needs: Needs
) -> FloatArray:
    """Boxes in pixels of the read frames, [frames, 4]; one box holds for all frames.

    Raises:
        ValueError: for boxes of a turned or cut picture, or as many as neither the film nor one frame has.
    """
    count, height, width = shape[:3]
    if source.rotation_deg or needs.fit != "whole":
        raise ValueError("face boxes of a rotated or cut picture are not converted; write the film upright")
    if len(boxes) > 1 and (len(boxes) != source.frames or source.variable_rate):
        raise ValueError(
            f"{len(boxes)} face boxes for {source.frames} frames; give one, or one per frame at a steady rate"
        )
    rows = np.array([_in_pixels(box, width, height, source) for box in boxes], dtype=np.float32)
    shown = ((np.arange(count) + 0.5) / fps * source.fps).astype(np.int64)
    return np.asarray(rows[np.minimum(shown, len(rows) - 1)], dtype=np.float32)


def _in_pixels(box: FaceBox, width: int, height: int, source: Source) -> tuple[float, float, float, float]:
    across, high = (1, 1) if box.unit == "share" else (source.width_px, source.height_px)
    x, y = width / across, height / high
    return box.left * x, box.top * y, box.right * x, box.bottom * y


def _longest_s(needs: Needs, source: Source, grid: Grid) -> float:
    """60 s, or less of pictures so large that they would not fit into memory."""
    if not needs.frames:
        return LONGEST_S
    short = min(source.height_px, source.width_px * source.pixel_aspect)
    long = max(source.height_px, source.width_px * source.pixel_aspect)
    side = grid.size_px * (long / short if needs.fit == "whole" else 1)
    return min(LONGEST_S, MOST_BYTES / (3 * grid.size_px * side * float(grid.rate)))


def _read(
    entry: ClipEntry, video: Path, grid: Grid, needs: Needs, longest_s: float
) -> tuple[list[ByteArray], list[NDArray[np.float32]], bool, bool]:
    reader = open_media(video, grid)
    has_sound = reader.has_audio or entry.audio is not None
    frames: list[ByteArray] = []
    sounds: list[NDArray[np.float32]] = []
    most = int(longest_s * grid.rate)
    done = 0
    for block in reader if entry.audio is None else OwnSound(reader, entry.audio, grid, reader.limit_s):
        kept = _first(block, most - done, grid)
        done += len(block.frames)
        sounds.append(kept.waveform)
        frames += [kept.frames] if needs.frames else []
        if done > most:
            break
    reader.close()
    return frames, sounds, done > most, has_sound


def _first(block: Block, count: int, grid: Grid) -> Block:
    if count >= len(block.frames):
        return block
    return Block(block.start_s, block.frames[:count], block.waveform[: grid.samples(count)])


def _image(path: Path) -> ByteArray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
