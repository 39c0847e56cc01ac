"""What judges look at: 0.2 s of mouth pictures and 0.2 s of sound, at any lag between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

PICTURE_RATE_HZ = 25.0
MEL_PER_PICTURE = 2
PICTURES, MELS = 5, 10  # of a moment
MOUTH_PX = (12, 16)
MAX_LAG = 32  # mel frames, 0.64 s


@dataclass(frozen=True)
class Moments:
    """Moments of one clip: moment k is centred on picture k + 2, sound s on mel frame s + 4.5.

    Attributes:
        seen: mouth pictures, [moments, 5, 12, 16].
        heard: mel, [sounds, 10, bands].
    """

    seen: FloatArray
    heard: FloatArray


def moments(mouth: FloatArray, mel: FloatArray, frame_rate_hz: float) -> Moments:
    """Moments of a clip from mouth pictures [frames, 12, 16] and mel [mel_frames, bands].

    Pictures of 12.5 frames per second are shown twice, as a player does. Moment k and sound 2 k cover the
    same 0.2 s.

    Raises:
        ValueError: for a frame rate that does not divide 25.
    """
    repeats = round(PICTURE_RATE_HZ / frame_rate_hz)
    if repeats < 1 or abs(PICTURE_RATE_HZ / frame_rate_hz - repeats) > 1e-6:
        raise ValueError(f"pictures at {frame_rate_hz} per second; wanted is 25 or a fraction of it")
    shown = np.repeat(mouth, repeats, axis=0)
    count = min(len(shown), len(mel) // MEL_PER_PICTURE)
    seen = np.lib.stride_tricks.sliding_window_view(shown[:count], PICTURES, axis=0)
    heard = np.lib.stride_tricks.sliding_window_view(mel[: count * MEL_PER_PICTURE], MELS, axis=0)
    return Moments(np.moveaxis(seen, -1, 1), np.moveaxis(heard, -1, 1))


def likeness_curve(seen: FloatArray, heard: FloatArray) -> FloatArray:
    """Mean product of embeddings over time at lags of +-0.64 s in mel frames, [65]; nan if too short.

    Args:
        seen: embeddings of moments, [moments, values].
        heard: of sounds, [sounds, values].

    Only moments that have a sound at every lag count, so that all lags rest on the same pictures.
    """
    reach = min(MAX_LAG, (len(heard) - MELS) // 2)
    lags = np.arange(-reach, reach + 1)
    index = MEL_PER_PICTURE * np.arange(len(seen))
    kept = (index >= reach) & (index + reach < len(heard))
    curve = np.full(2 * MAX_LAG + 1, np.nan, np.float32)
    if reach < 1 or not kept.any():
        return curve
    sounds = heard[index[kept][:, None] + lags[None]]
    curve[MAX_LAG - reach : MAX_LAG + reach + 1] = np.einsum("kv,klv->l", seen[kept], sounds) / kept.sum()
    return curve
