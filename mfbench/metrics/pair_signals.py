"""How far frames are from the true frames that they stand for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from mfbench.character.face import MOTION_PARAMETERS, RANGES
from mfbench.metrics.picture_signals import LUMA
from mfbench.metrics.readers.images import Pixels

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]

WINDOW_PX, SIGMA_PX = 11, 1.5
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first
_PEAK = 255.0
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
_FRAMES = 64  # compared at a time, so that memory does not grow with the number of frames
_OPENING = MOTION_PARAMETERS.index("open")


@dataclass(frozen=True)
class PairSignals:
    """Per frame that both clips have, [clips, frames].

    Attributes:
        squared_error: mean over pixels and colours, in squared grey levels.
        ssim: structural similarity of the brightness.
        msssim: the same over several scales.
        mouth: absolute difference of the mouth openings that are read, in shares of the legal range; nan
            where the true clip shows no face that the readers know.
    """

    squared_error: Double
    ssim: Double
    msssim: Double
    mouth: FloatArray


def squared_error(frames: Pixels, true: Pixels) -> Double:
    """Mean squared difference of uint8 [frames, height, width, 3], per frame.

    Raises:
        ValueError: where the two are not frames of one shape.
    """
    _check(frames, true)
    parts = []
    for start in range(0, len(frames), _FRAMES):
        chosen = slice(start, start + _FRAMES)
        step = frames[chosen].astype(np.int32) - true[chosen]
        parts.append((step * step).mean((1, 2, 3), dtype=np.float64))
    return np.concatenate(parts) if parts else np.zeros(0)


def ssim(frames: Pixels, true: Pixels) -> Double:
    """Structural similarity of the brightness of uint8 [frames, height, width, 3], per frame.

    Means, variances and covariance under a Gaussian window of 11 x 11 pixels and 1.5 pixels standard
    deviation, at the places where the whole window lies in the picture; K1 = 0.01, K2 = 0.03, L = 255.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13 to 17.

    Raises:
        ValueError: where the two are not frames of one shape, or the window does not fit.
    """
    return _per_frame(frames, true, lambda x, y: _similarity(x, y)[0])


def msssim(frames: Pixels, true: Pixels) -> Double:
    """Structural similarity over several scales of uint8 [frames, height, width, 3], per frame.

    Contrast and structure at every scale, brightness at the coarsest only, each raised to the published
    exponent of its scale; a scale is half the one before, by means of 2 x 2 pixels. Where the picture has
    room for fewer than five scales (161 pixels a side), as many as fit, with exponents that again sum to
    one: three at 64 x 64. Contrast of opposite sign counts as none.

    Source: Wang, Simoncelli, Bovik 2003, "Multiscale structural similarity", eq. 7 and section 3.2.

    Raises:
        ValueError: where the two are not frames of one shape, or the window does not fit.
    """
    return _per_frame(frames, true, _similarity_of_scales)


def psnr_db(error: Double, most_db: float) -> Double:
    """Peak signal-to-noise ratio of mean squared errors in grey levels; no more than `most_db`."""
    least = _PEAK**2 * 10 ** (-most_db / 10)  # infinity, which equal frames have, is no number to average
    return np.asarray(10 * np.log10(_PEAK**2 / np.maximum(error, least)))


def mouth_difference(motion: FloatArray, true: FloatArray) -> FloatArray:
    """Of two tracks of MOTION_PARAMETERS [..., 11]: absolute difference of the opening, 0..1, [...]."""
    low, high = RANGES["open"]
    one, other = (np.clip(track[..., _OPENING], low, high) for track in (motion, true))
    return np.asarray(np.abs(one - other) / (high - low), dtype=np.float32)


def _per_frame(frames: Pixels, true: Pixels, measure: Callable[[Tensor, Tensor], Tensor]) -> Double:
    """A measure of two brightnesses [frames, 1, height, width], few frames at a time."""
    _check(frames, true)
    if min(frames.shape[1:3]) < WINDOW_PX:
        raise ValueError(f"frames have shape {frames.shape}; wanted are at least {WINDOW_PX} pixels a side")
    parts = [
        measure(_brightness(frames[start : start + _FRAMES]), _brightness(true[start : start + _FRAMES]))
        for start in range(0, len(frames), _FRAMES)
    ]
    return torch.cat(parts).numpy() if parts else np.zeros(0)


def _similarity_of_scales(x: Tensor, y: Tensor) -> Tensor:
    fitting = sum(min(x.shape[-2:]) >> scale >= WINDOW_PX for scale in range(len(EXPONENTS)))
    exponents = torch.tensor(EXPONENTS[:fitting], dtype=torch.float64)
    found = torch.ones(len(x), dtype=torch.float64)
    for scale, exponent in enumerate(exponents / exponents.sum()):
        whole, contrast = _similarity(x, y)
        found *= (whole if scale == fitting - 1 else contrast).clamp(min=0) ** exponent
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return found


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Structural similarity per frame, and its part without brightness: contrast and structure."""
    mean_x, mean_y = _smoothed(x), _smoothed(y)
    variance_x, variance_y = _smoothed(x * x) - mean_x**2, _smoothed(y * y) - mean_y**2
    covariance = _smoothed(x * y) - mean_x * mean_y
    contrast = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    brightness = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return (brightness * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _brightness(frames: Pixels) -> Tensor:
    """[frames, 1, height, width] in double: a variance is a difference of large squares."""
    return torch.from_numpy(frames.astype(np.float64) @ LUMA.astype(np.float64))[:, None]


def _smoothed(pictures: Tensor) -> Tensor:
    """Weighted means under the window, only where it fits."""
    window = _window()
    return conv2d(conv2d(pictures, window[None, None, :, None]), window[None, None, None, :])


@functools.cache
def _window() -> Tensor:
    """One side of the Gaussian window, which is a product of two."""
    place = torch.arange(WINDOW_PX, dtype=torch.float64) - WINDOW_PX // 2
    weights = torch.exp(-0.5 * (place / SIGMA_PX) ** 2)
    return weights / weights.sum()


def _check(frames: Pixels, true: Pixels) -> None:
    if frames.shape != true.shape or frames.dtype != np.uint8 or true.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(
            f"frames have shape {frames.shape} and dtype {frames.dtype}, the true ones {true.shape} and "
            f"{true.dtype}; wanted is uint8[frames, height, width, 3] of one shape"
        )
