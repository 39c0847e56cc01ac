"""Pixels to floats and back."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from mfbench.codecs.base import Array, FloatArray


def from_pixels(pixels: Array) -> FloatArray:
    """uint8 0..255 => float32 -1..1.

    Raises:
        ValueError: where the array is not uint8; a float image in 0..1 would pass silently as black.
    """
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels have dtype {pixels.dtype}, wanted is uint8 in 0..255")
    return np.asarray(pixels, dtype=np.float32) / np.float32(127.5) - np.float32(1)


def to_pixels(values: FloatArray) -> UInt8[np.ndarray, ...]:
    """float32 -1..1 => uint8 0..255, rounded and clipped."""
    return np.asarray(np.clip(np.rint((values + 1) * 127.5), 0, 255), dtype=np.uint8)
