"""Random streams that are stable across numpy versions, and smoothing of control tracks.

NEP 19 freezes the bit stream of PCG64 but not numpy's distribution methods, so everything here is built on
`Generator.random()` and inverse transforms. One stream per purpose and clip.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

TICK_S = 0.005  # control period of every track
Float = NDArray[np.float64]
Item = TypeVar("Item")


def stream(seed: int, split: str, index: int, purpose: str) -> np.random.Generator:
    """The random stream of one purpose of one clip."""
    key = [seed, zlib.crc32(split.encode()), index, zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def normal(rng: np.random.Generator, count: int) -> Float:
    """Standard normal values by inverse transform."""
    return np.asarray(ndtri(np.clip(rng.random(count), 1e-12, 1 - 1e-12)), dtype=np.float64)


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One item, uniformly."""
    return items[min(int(rng.random() * len(items)), len(items) - 1)]


def shuffled(rng: np.random.Generator, count: int) -> list[int]:
    """A permutation of range(count)."""
    return [int(i) for i in np.argsort(rng.random(count), kind="stable")]


def smooth(track: Float, seconds: float) -> Float:
    """Hann-smooth the first axis over `seconds`; the ends repeat."""
    width = max(1, round(seconds / TICK_S)) | 1
    window = np.hanning(width + 2)[1:-1]
    window /= window.sum()
    padded: Float = np.pad(track, [(width // 2, width // 2)] + [(0, 0)] * (track.ndim - 1), mode="edge")
    columns = padded.reshape(len(padded), -1)
    out = np.stack([np.convolve(columns[:, i], window, "valid") for i in range(columns.shape[1])], 1)
    return np.asarray(out.reshape(track.shape), np.float64)


def ticks(duration_s: float) -> Float:
    """Centres of the control periods of a clip."""
    return np.asarray((np.arange(round(duration_s / TICK_S)) + 0.5) * TICK_S, np.float64)


def wander(rng: np.random.Generator, count: int, seconds: float, amplitude: float) -> Float:
    """A slow random track with |value| < amplitude."""
    margin = 200
    raw = smooth(normal(rng, count + 2 * margin)[:, None], seconds)[margin:-margin, 0]
    return np.asarray(amplitude * np.tanh(0.7 * raw / (raw.std() + 1e-6)))
