"""How much of what is in a picture is fine detail, whatever its contrast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

FINE = 0.25  # cycles per pixel; details of less than four pixels
_ROUNDING = 1 / 12  # variance of whole grey levels; no picture has less detail than they leave
_LEAST_VARIANCE = 1.0  # grey levels squared; a flat picture has no spectrum


def fine_detail_db(grey: FloatArray) -> FloatArray:
    """Share of the power at radial frequencies of a quarter cycle per pixel and more, in dB, [clips, frames].

    Twice the contrast changes nothing, unlike in `sharpness`. The window keeps the edges of the picture,
    which do not continue on the other side, out of the fine detail. nan where the picture is flat.

    Args:
        grey: brightness in 0..255, [clips, frames, height, width].
    """
    height, width = grey.shape[2:]
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    window = (window / window.sum()).astype(np.float32)
    mean = (grey * window).sum((2, 3), keepdims=True)
    power = np.abs(np.fft.fft2((grey - mean) * window)) ** 2 / (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    fine = radius >= FINE
    total = power.sum((2, 3)) / radius.size
    detail = (power * fine).sum((2, 3)) / radius.size
    share = (detail + _ROUNDING * fine.mean()) / (total + _ROUNDING)
    return np.where(total > _LEAST_VARIANCE, 10 * np.log10(share), np.nan).astype(np.float32)
