"""What motion compensation leaves of the change between frames, by the method of Lucas and Kanade."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

BLOCK_PX = 8
REACH_PX = 1.0  # beyond it a first-order account of brightness means nothing
_STIFFNESS = 1.0  # (grey levels per pixel)^2: slopes below this, which noise has too, move nothing
_PAIRS = 64  # compared at a time, so that memory does not grow with the number of clips


def warp_error(grey: FloatArray) -> FloatArray:
    """Mean absolute brightness error left between successive frames, [clips, frames - 1], grey levels.

    Every block of 8 x 8 pixels is moved by the displacement d, at most one pixel long, that explains most of
    its change: the least squares of I_t + d . grad I over the block, with I the mean of both frames and I_t
    their difference. What is not explained is noise, flicker, texture that does not move with what it is on,
    and motion of more than a pixel. Rows and columns beyond the last whole block are left out.

    Source: Lucas and Kanade 1981, to first order in d; the warping error of Lai et al. 2018 without its
    network and its mask of what is hidden.

    Args:
        grey: brightness in 0..255, [clips, frames, height, width] of at least 8 x 8 pixels.
    """
    found = np.empty((len(grey), max(grey.shape[1] - 1, 0)), np.float32)
    for clip, film in enumerate(grey):
        for start in range(0, found.shape[1], _PAIRS):
            found[clip, start : start + _PAIRS] = _left_over(film[start : start + _PAIRS + 1])
    return found


def _left_over(film: FloatArray) -> FloatArray:
    """Of successive frames [frames, height, width], [frames - 1]."""
    change, middle = film[1:] - film[:-1], (film[1:] + film[:-1]) / np.float32(2)
    rows, columns = (size // BLOCK_PX * BLOCK_PX for size in film.shape[1:])
    change, down, right = (
        part[:, :rows, :columns] for part in (change, _slope(middle, 1), _slope(middle, 2))
    )
    least = np.float32(_STIFFNESS * BLOCK_PX**2)
    dd, rr, dr = _sums(down * down) + least, _sums(right * right) + least, _sums(down * right)
    dc, rc = _sums(down * change), _sums(right * change)
    determinant = dd * rr - dr * dr  # positive, as the stiffness is
    y, x = (dr * rc - rr * dc) / determinant, (dr * dc - dd * rc) / determinant
    shorter = np.minimum(1, REACH_PX / np.maximum(np.hypot(x, y), 1e-9)).astype(np.float32)
    left = change + down * _spread(y * shorter) + right * _spread(x * shorter)
    return np.asarray(np.abs(left).mean((1, 2)), dtype=np.float32)


def _slope(grey: FloatArray, axis: int) -> FloatArray:
    """Central differences, one-sided at the edges, grey levels per pixel."""
    return np.asarray(np.gradient(grey, axis=axis), dtype=np.float32)


def _sums(pixels: FloatArray) -> FloatArray:
    """Over blocks, [frames, rows, columns] => [frames, rows / 8, columns / 8]."""
    frames, rows, columns = pixels.shape
    blocks = pixels.reshape(frames, rows // BLOCK_PX, BLOCK_PX, columns // BLOCK_PX, BLOCK_PX)
    return np.asarray(blocks.sum(4).sum(2))


def _spread(blocks: FloatArray) -> FloatArray:
    """The value of every block at each of its pixels."""
    return blocks.repeat(BLOCK_PX, 1).repeat(BLOCK_PX, 2)
