"""Cutting faces out of frames: the track that SyncNet is shown, and plain squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]

GAP_FRAMES = 25  # missed detections that a track survives
_CROP_SCALE = 0.4
_MEDIAN_FRAMES = 13
_PADDING_GREY = 110


@dataclass(frozen=True, eq=False)
class Track:
    """The longest stretch of a clip in which a face is seen.

    Attributes:
        start, stop: frames [start, stop).
        boxes: left, top, right, bottom in pixels, gaps filled in, [stop - start, 4].
    """

    start: int
    stop: int
    boxes: Double


def longest_track(faces: FloatArray) -> Track | None:
    """The longest track; a gap of up to 25 frames is bridged by a straight line. None: no face at all.

    Args:
        faces: boxes, a row of nan where there is none, [frames, 4].
    """
    seen = np.flatnonzero(np.isfinite(faces).all(1))
    if len(seen) == 0:
        return None
    runs = np.split(seen, np.flatnonzero(np.diff(seen) > GAP_FRAMES) + 1)
    run = max(runs, key=lambda r: r[-1] - r[0])
    every = np.arange(run[0], run[-1] + 1)
    boxes = np.stack(
        [np.interp(every, run, faces[run, side].astype(np.float64)) for side in range(4)], axis=1
    )
    return Track(int(run[0]), int(run[-1]) + 1, boxes)


def mouth_crops(frames: ByteArray, boxes: Double, size_px: int) -> ByteArray:
    """The lower face as the published SyncNet pipeline cuts it, [frames, size_px, size_px, 3].

    A square of 1.4 box sizes that reaches further down than up, from boxes smoothed by a median over 13
    frames; beyond the picture is grey.

    Raises:
        ValueError: if a box lies outside the picture.
    """
    kernel = min(_MEDIAN_FRAMES, len(boxes) - 1 + len(boxes) % 2)
    half = _smooth(np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]) / 2, kernel)
    x, y = (_smooth((boxes[:, side] + boxes[:, side + 2]) / 2, kernel) for side in (0, 1))
    crops = [_mouth_crop(*item) for item in zip(frames, x, y, half, strict=True)]
    return np.stack([_resize(crop, size_px) for crop in crops])


def centre_squares(frames: ByteArray, size_px: int) -> ByteArray:
    """The largest centred square of every frame, [frames, size_px, size_px, 3]."""
    height, width = frames.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = frames[:, top : top + side, left : left + side]
    return cut if side == size_px else np.stack([_resize(frame, size_px) for frame in cut])


def face_square(frame: ByteArray, box: NDArray[np.floating], size_px: int) -> ByteArray:
    """The square around a box, [size_px, size_px, 3]; beyond the picture is black.

    Raises:
        ValueError: if the box is empty.
    """
    left, top, right, bottom = (float(value) for value in box)
    side = round(max(right - left, bottom - top))
    if side < 1 or right <= left or bottom <= top:
        raise ValueError(f"a face box of {box.tolist()}; wanted left, top, right, bottom with a size")
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    margin = max(0, -x, -y, x + side - frame.shape[1], y + side - frame.shape[0])
    padded = np.pad(frame, ((margin, margin), (margin, margin), (0, 0)))
    return _resize(padded[y + margin : y + margin + side, x + margin : x + margin + side], size_px)


def _smooth(values: Double, kernel: int) -> Double:
    from scipy.signal import medfilt

    return np.asarray(medfilt(values, kernel))


def _mouth_crop(frame: ByteArray, x: float, y: float, half: float) -> ByteArray:
    reach = 1 + 2 * _CROP_SCALE
    pad = int(half * reach)
    padded = np.pad(frame, ((pad, pad), (pad, pad), (0, 0)), constant_values=_PADDING_GREY)
    rows = slice(int(y + pad - half), int(y + pad + half * reach))
    side = half * (1 + _CROP_SCALE)
    crop = padded[rows, int(x + pad - side) : int(x + pad + side)]
    if crop.size == 0:
        raise ValueError(f"a face of {2 * half:.0f} px at ({x:.0f}, {y:.0f}) lies outside {frame.shape[:2]}")
    return crop


def _resize(image: ByteArray, size_px: int) -> ByteArray:
    """Bilinear without smoothing, as the published pipelines do."""
    import cv2

    scaled = cv2.resize(np.ascontiguousarray(image), (size_px, size_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled, dtype=np.uint8)
