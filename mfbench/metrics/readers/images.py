"""Plain image measurements that readers start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Pixels = NDArray[np.uint8]

READ_SIZE_PX = 32  # larger frames are averaged down to this
_COARSE = 8  # identity is read from this many cells a side


def unit(pixels: Pixels) -> FloatArray:
    """uint8 => float32 in -1..1."""
    return pixels.astype(np.float32) * np.float32(2 / 255) - np.float32(1)


def shrink(frames: Pixels) -> Pixels:
    """Average whole blocks of pixels down to READ_SIZE_PX.

    Raises:
        ValueError: where the size is no multiple of it, or the frames are not uint8.
    """
    if frames.dtype != np.uint8 or frames.ndim != 5 or frames.shape[2] % READ_SIZE_PX:
        raise ValueError(
            f"frames have shape {frames.shape} and dtype {frames.dtype}; wanted is "
            f"uint8[clips, frames, size, size, 3] with a size that is a multiple of {READ_SIZE_PX}"
        )
    factor = frames.shape[2] // READ_SIZE_PX
    if factor == 1:
        return frames
    blocks = frames.reshape(*frames.shape[:2], READ_SIZE_PX, factor, READ_SIZE_PX, factor, 3)
    return np.asarray(np.rint(blocks.mean((3, 5), dtype=np.float32)), dtype=np.uint8)


def coarsen(pixels: FloatArray) -> FloatArray:
    """[n, 32, 32, 3] => block means [n, 192]."""
    step = READ_SIZE_PX // _COARSE
    blocks = pixels.reshape(-1, _COARSE, step, _COARSE, step, 3)
    return np.asarray(blocks.mean((2, 4)).reshape(len(blocks), -1), dtype=np.float32)


def strength(seen: FloatArray, drawn: FloatArray) -> FloatArray:
    """How strongly drawings are in pictures [clips, frames, height, width, 3], mean colours left out.

    The slope of the least-squares line from drawing to picture, [clips, frames]: 1 where the picture has the
    drawing's full contrast, a half where half of it, about 0 where it has none or another one.
    """
    seen, drawn = (picture - picture.mean((2, 3), keepdims=True) for picture in (seen, drawn))
    power = (drawn**2).sum((2, 3, 4))
    return np.asarray((seen * drawn).sum((2, 3, 4)) / np.maximum(power, 1.0), dtype=np.float32)


def grey(pixels: Pixels) -> Pixels:
    """Mean of the colours, uint8 [...]."""
    return np.asarray(np.rint(pixels.mean(-1, dtype=np.float32)), dtype=np.uint8)


def region_colours(small: Pixels) -> FloatArray:
    """Mean colours in 0..255 of corners, bottom, crown and cheeks, [clips, frames, 12]."""
    regions = (
        [(slice(0, 4), slice(0, 3)), (slice(0, 4), slice(29, 32))],
        [(slice(30, 32), slice(6, 26))],
        [(slice(4, 7), slice(12, 20))],
        [(slice(18, 21), slice(8, 11)), (slice(18, 21), slice(21, 24))],
    )
    means = []
    for boxes in regions:
        parts = [small[:, :, rows, columns].mean((2, 3), dtype=np.float32) for rows, columns in boxes]
        means.append(np.mean(parts, axis=0, dtype=np.float32))
    return np.concatenate(means, -1)


def sharpness(small: Pixels) -> FloatArray:
    """Log mean squared Laplacian of the grey image, [clips, frames]."""
    grey = small.mean(-1, dtype=np.float32)
    inner = grey[:, :, 1:-1, 1:-1]
    around = grey[:, :, :-2, 1:-1] + grey[:, :, 2:, 1:-1] + grey[:, :, 1:-1, :-2] + grey[:, :, 1:-1, 2:]
    return np.asarray(np.log(((4 * inner - around) ** 2).mean((2, 3)) + np.float32(1)), dtype=np.float32)
