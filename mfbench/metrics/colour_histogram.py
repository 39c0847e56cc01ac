"""How the colours of a picture are spread over L*, a* and b*, and how far two such spreads are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]
Pixels = NDArray[np.uint8]

NODES = 49
LOW = np.array([0.0, -110.0, -110.0], dtype=np.float32)  # everything in sRGB lies within
HIGH = np.array([100.0, 100.0, 100.0], dtype=np.float32)
STEP = (HIGH - LOW) / np.float32(NODES - 1)

# IEC 61966-2-1: linear red, green and blue to XYZ under D65, whose own XYZ is the sum of each row
_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], dtype=np.float64
)
_RELATIVE = (_XYZ / _XYZ.sum(1, keepdims=True)).T.astype(np.float32)
_CUBE_FROM = (6 / 29) ** 3  # CIE 15: below, the cube root goes on as a line
_LINE = (29 / 6) ** 2 / 3


def _linear() -> FloatArray:
    """Light of every value of a byte, 0..1, [256]."""
    value = np.arange(256) / 255
    curve = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)


_LINEAR = _linear()


def lab(pixels: Pixels) -> FloatArray:
    """sRGB uint8 [..., 3] => CIE 1976 L*a*b* under D65, [..., 3]."""
    relative = _LINEAR[pixels] @ _RELATIVE
    line = np.float32(_LINE) * relative + np.float32(4 / 29)
    root = np.where(relative > _CUBE_FROM, np.cbrt(relative), line)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_histograms(frames: Pixels) -> FloatArray:
    """Share of the pixels near every node, of L*, a* and b*, [clips, frames, 3, NODES].

    A pixel between two nodes is shared between them by its distance, so that the mean of a histogram is that
    of the picture, and a picture whose colours all move by less than a step has moved by just that much.

    Args:
        frames: uint8 [clips, frames, height, width, 3].
    """
    clips, count = frames.shape[:2]
    values = lab(frames).reshape(clips * count, -1, 3)
    rows = NODES * np.arange(len(values))[:, None]
    found = [_shared(rows, (values[..., c] - LOW[c]) / STEP[c]) for c in range(3)]
    return np.stack(found, axis=1).reshape(clips, count, 3, NODES)


def _shared(rows: NDArray[np.int64], position: FloatArray) -> FloatArray:
    """Shares of positions [frames, pixels] in steps from the first node, [frames, NODES]."""
    below = np.clip(position.astype(np.int64), 0, NODES - 2)
    upper = np.clip(position - below, 0, 1)
    size = len(position) * NODES
    index = (rows + below).ravel()
    counts = np.bincount(index, (1 - upper).ravel(), size) + np.bincount(index + 1, upper.ravel(), size)
    return np.asarray(counts.reshape(-1, NODES) / position.shape[1], dtype=np.float32)


def histogram_distance(one: Double, other: Double) -> Double:
    """1-D Wasserstein distance of shares on the nodes, mean over L*, a* and b*, in Lab units, [...].

    On a line it is the area between the cumulative shares (Vallender 1974).

    Args:
        one: shares, [..., 3, NODES].
        other: shares that broadcast with them.
    """
    area = np.abs(np.cumsum(one - other, axis=-1)[..., :-1]).sum(-1)
    return np.asarray((area * STEP).mean(-1), dtype=np.float64)
