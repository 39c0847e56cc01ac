"""Plain measurements of pictures, of any content: nothing is recognised, so nothing can be misread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.colour_histogram import lab_histograms
from mfbench.metrics.texture_spectrum import fine_detail_db
from mfbench.metrics.warp import warp_error

FloatArray = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # BT.601
_DARK, _BRIGHT = 0, 255
_GRID_PX = 8  # of JPEG, H.264 and their relatives
_LEAST_SIZE_PX = 16
EVERY = 4  # frames; what is only compared over many seconds need not be measured in each
_CELLS = _LEAST_SIZE_PX  # a side of the grid that corners are cut from
# (row, column) of the cells that no legal head or shoulder of the talking character reaches, on the left
_LEFT_CORNERS = ((0, 0), (0, 1), (1, 0), (13, 0), (14, 0), (14, 1))
CORNERS = (*_LEFT_CORNERS, *((row, _CELLS - 1 - column) for row, column in _LEFT_CORNERS))


@dataclass(frozen=True)
class PictureSignals:
    """Per frame, [clips, frames], grey levels in 0..255 unless said otherwise.

    Attributes:
        luma: mean brightness.
        contrast: standard deviation of the brightness.
        saturation: mean of (max - min) / max over pixels, 0..1.
        colourfulness: Hasler and Suesstrunk 2003, eq. 1.
        clipped: share of colour values that are 0 or 255.
        sharpness: log of the mean squared Laplacian of the brightness.
        noise: spread of pixel noise, Immerkaer 1996.
        blockiness: step across borders of 8 x 8 blocks over the step inside them, minus 1.
        colour: mean red, green and blue, [clips, frames, 3].
        change: mean absolute difference from the frame before, [clips, frames - 1].
        warp: the same of the brightness after motion compensation, see `warp_error`, [clips, frames - 1].
        lab_histogram: shares of `colour_histogram.lab_histograms`, every 4th frame from the first of a block,
            [clips, checked, 3, nodes].
        detail_db: share of fine detail in the power spectrum, every 4th frame, [clips, checked]; nan if flat.
        corners: mean colour of the cells `CORNERS` of a 16 x 16 grid, every 4th frame,
            [clips, checked, cells, 3].
    """

    luma: FloatArray
    contrast: FloatArray
    saturation: FloatArray
    colourfulness: FloatArray
    clipped: FloatArray
    sharpness: FloatArray
    noise: FloatArray
    blockiness: FloatArray
    colour: FloatArray
    change: FloatArray
    warp: FloatArray
    lab_histogram: FloatArray
    detail_db: FloatArray
    corners: FloatArray


def picture_signals(frames: Pixels, before: Pixels | None = None) -> PictureSignals:
    """Measure frames uint8 [clips, frames, height, width, 3].

    Args:
        frames: at least 16 x 16 pixels.
        before: the frame before the first, [clips, height, width, 3]; with it `change` and `warp` have an
            entry for every frame, so that blocks of a film can be measured one after another.

    Raises:
        ValueError: for another dtype or shape, or smaller frames.
    """
    if frames.dtype != np.uint8 or frames.ndim != 5 or min(frames.shape[2:4]) < _LEAST_SIZE_PX:
        raise ValueError(
            f"frames have shape {frames.shape} and dtype {frames.dtype}; wanted is "
            f"uint8[clips, frames, height, width, 3] of at least {_LEAST_SIZE_PX} x {_LEAST_SIZE_PX} pixels"
        )
    film = frames if before is None else np.concatenate([before[:, None], frames], axis=1)
    brightness = film.astype(np.float32) @ LUMA
    grey = brightness[:, film.shape[1] - frames.shape[1] :]
    return PictureSignals(
        luma=grey.mean((2, 3)),
        contrast=grey.std((2, 3)),
        saturation=_saturation(frames),
        colourfulness=_colourfulness(frames),
        clipped=((frames == _DARK) | (frames == _BRIGHT)).mean((2, 3, 4), dtype=np.float32),
        sharpness=np.log((_laplacian(grey) ** 2).mean((2, 3)) + np.float32(1)),
        noise=_noise(grey),
        blockiness=_blockiness(grey),
        colour=frames.mean((2, 3), dtype=np.float32),
        change=_change(film),
        warp=warp_error(brightness),
        lab_histogram=lab_histograms(frames[:, ::EVERY]),
        detail_db=fine_detail_db(grey[:, ::EVERY]),
        corners=_corners(frames[:, ::EVERY]),
    )


def _change(film: Pixels) -> FloatArray:
    step = np.maximum(film[:, 1:], film[:, :-1]) - np.minimum(film[:, 1:], film[:, :-1])
    return np.asarray(step.mean((2, 3, 4), dtype=np.float32))


def _corners(frames: Pixels) -> FloatArray:
    """Mean colours of the cells `CORNERS`; where the size is no multiple of the grid, cells differ by 1."""
    rows, columns = (np.arange(_CELLS + 1) * size // _CELLS for size in frames.shape[2:4])
    cells = [
        frames[:, :, rows[r] : rows[r + 1], columns[c] : columns[c + 1]].mean((2, 3), dtype=np.float32)
        for r, c in CORNERS
    ]
    return np.stack(cells, axis=2)


def _saturation(frames: Pixels) -> FloatArray:
    red, green, blue = (frames[..., c] for c in range(3))  # faster than along an axis of three
    high = np.maximum(np.maximum(red, green), blue).astype(np.float32)
    low = np.minimum(np.minimum(red, green), blue)
    return np.asarray(((high - low) / np.maximum(high, 1)).mean((2, 3)))


def _colourfulness(frames: Pixels) -> FloatArray:
    red, green, blue = (frames[..., c].astype(np.float32) for c in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std((2, 3)), yellow_blue.std((2, 3)))
    mean = np.hypot(red_green.mean((2, 3)), yellow_blue.mean((2, 3)))
    return np.asarray(spread + np.float32(0.3) * mean)


def _laplacian(grey: FloatArray) -> FloatArray:
    around = grey[:, :, :-2, 1:-1] + grey[:, :, 2:, 1:-1] + grey[:, :, 1:-1, :-2] + grey[:, :, 1:-1, 2:]
    return np.asarray(4 * grey[:, :, 1:-1, 1:-1] - around)


def _noise(grey: FloatArray) -> FloatArray:
    """Mean absolute response of the difference of two Laplacians, which flat and sloped areas leave at 0."""
    rows = grey[:, :, :-2] - 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    response = rows[..., :-2] - 2 * rows[..., 1:-1] + rows[..., 2:]
    return np.asarray(np.sqrt(np.pi / 2) / 6 * np.abs(response).mean((2, 3)), dtype=np.float32)


def _blockiness(grey: FloatArray) -> FloatArray:
    ratios = []
    for axis in (2, 3):
        step = np.abs(np.diff(grey, axis=axis)).mean(axis=5 - axis)  # mean along the border
        border = (np.arange(step.shape[2]) + 1) % _GRID_PX == 0
        ratios.append((step[:, :, border].mean(2) + 1e-3) / (step[:, :, ~border].mean(2) + 1e-3))
    return np.asarray((ratios[0] + ratios[1]) / 2 - 1, dtype=np.float32)
