"""Anti-aliased drawing over a batch of frames; coordinates in [-1, 1], independent of resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass
class Canvas:
    """Frames [n, size, size, 3] in 0..255 that layers are painted on."""

    image: Array

    @property
    def size(self) -> int:
        """Side in pixels."""
        return int(self.image.shape[1])

    @property
    def pixel(self) -> np.float32:
        """Side of a pixel in coordinate units."""
        return np.float32(2.0 / self.size)

    def axis(self) -> Array:
        """Pixel centres along one axis."""
        return np.asarray((np.arange(self.size, dtype=np.float32) + 0.5) * self.pixel - 1, dtype=np.float32)

    def rows(self, low: float, high: float) -> slice:
        """Pixel rows (or columns) that cover a coordinate range."""
        first = int((low + 1) / 2 * self.size)
        return slice(max(0, first), min(self.size, int(np.ceil((high + 1) / 2 * self.size))))

    def paint(self, rows: slice, columns: slice, alpha: Array, colour: Array) -> None:
        """Blend a colour [n, 3] (or [3]) with coverage alpha [n, rows, columns]."""
        view = self.image[:, rows, columns]
        tint = np.asarray(colour, np.float32)
        tint = tint[:, None, None, :] if tint.ndim == 2 else tint
        view += alpha[..., None] * (tint - view)


def ellipse(
    x: Array, y: Array, centre: tuple[Array, Array], radii: tuple[Array, Array], pixel: np.float32
) -> Array:
    """Coverage of an ellipse by its signed distance f / |grad f|."""
    u, v = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1]
    gradient = 2 * np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2) + np.float32(1e-3)
    return np.clip(0.5 - (u * u + v * v - 1) / gradient / pixel, 0, 1)


def slab(
    x: Array, y: Array, centre: tuple[Array, Array], radii: tuple[Array, Array], pixel: np.float32
) -> Array:
    """Exact vertical coverage of an ellipse: the painted area is right even below one pixel of height."""
    half = radii[1] * np.sqrt(np.clip(1 - ((x - centre[0]) / radii[0]) ** 2, 0, None))
    below = np.minimum(half, y - centre[1] + pixel / 2)
    above = np.maximum(-half, y - centre[1] - pixel / 2)
    return np.asarray(np.clip(below - above, 0, None) / pixel)


def step_edge(distance: Array, pixel: np.float32) -> Array:
    """Coverage of the half plane distance < 0."""
    return np.asarray(np.clip(0.5 - distance / pixel, 0, 1), np.float32)
