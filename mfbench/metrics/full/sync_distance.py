"""SyncNet's numbers from its embeddings: distance against shift, per clip and for wrong pairs.

Row i of `video` is the picture from frame i on, row j of `audio` the sound from frame j on, 40 ms each.
Source: Chung and Zisserman 2016, and the published evaluation code, whose sign is kept: a positive offset
means that the sound leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.full.sets import canonical

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]

REACH = 15  # largest shift in frames
FRAME_MS = 40.0
WINDOW_FRAMES = 125  # 5 s
CUT_FRAMES = 5  # a clip of n frames has n - 5 embeddings
_TINY = 1e-6  # added to every difference by the published code
_NULL_ROLLS = 5


@dataclass(frozen=True, eq=False)
class SyncCurve:
    """Mean distance against shift.

    Attributes:
        distance: at shifts of -15 to 15 frames of the sound, [31].
    """

    distance: Double

    @property
    def lse_d(self) -> float:
        """Least distance over all shifts."""
        return float(self.distance.min())

    @property
    def lse_c(self) -> float:
        """Confidence: median minus least distance; positive also where sound and picture are unrelated."""
        return float(np.median(self.distance) - self.distance.min())

    @property
    def at_zero(self) -> float:
        """Distance of what is seen and heard at the same time; a constant offset does not hide in it."""
        return float(self.distance[REACH])

    @property
    def offset_ms(self) -> float:
        """Offset at the least distance; positive: the sound LEADS."""
        return FRAME_MS * (REACH - int(self.distance.argmin()))


def distances(video: FloatArray, audio: FloatArray) -> Double:
    """Distance of every picture to the sound k frames later, k = -15..15, [rows, 31].

    Beyond its ends the sound is zero, as in the published code, which makes short clips score differently.

    Raises:
        ValueError: if there are no rows, or not equally many.
    """
    if len(video) == 0 or video.shape != audio.shape:
        raise ValueError(
            f"embeddings of shape {video.shape} and {audio.shape}; wanted two of the same, not empty"
        )
    padded = np.pad(audio.astype(np.float64), ((REACH, REACH), (0, 0)))
    shifts = [video - padded[k : k + len(video)] + _TINY for k in range(2 * REACH + 1)]
    return np.stack([np.linalg.norm(difference, axis=1) for difference in shifts], axis=1)


def curve(found: Double) -> SyncCurve:
    """The published curve: over all rows of `distances`."""
    return SyncCurve(found.mean(0))


def valid_curve(found: Double) -> SyncCurve | None:
    """Only over rows whose 31 shifts all lie inside the clip; None below 31 rows."""
    inside = found[REACH : len(found) - REACH]
    return SyncCurve(inside.mean(0)) if len(inside) else None


def window_curves(video: FloatArray, audio: FloatArray) -> list[SyncCurve]:
    """The published curve of every whole 5 s, as if each had been cut out: equal lengths compare."""
    rows = WINDOW_FRAMES - CUT_FRAMES
    starts = range(0, len(video) - rows + 1, WINDOW_FRAMES)
    return [curve(distances(video[i : i + rows], audio[i : i + rows])) for i in starts]


def null_confidence(clips: Sequence[FloatArray]) -> float:
    """Mean confidence over wrong pairs: every picture with the sound of up to 5 other clips.

    A pair is cut to the shorter of its two.

    Args:
        clips: video and audio embeddings side by side, [rows, 2 dim] each.

    Raises:
        ValueError: if there are fewer than 2 clips.
    """
    if len(clips) < 2:
        raise ValueError(f"{len(clips)} clips cannot be paired wrongly; give at least 2")
    ordered = canonical(clips)
    found = []
    for roll in range(1, min(_NULL_ROLLS, len(ordered) - 1) + 1):
        for own, other in zip(ordered, [*ordered[roll:], *ordered[:roll]], strict=True):
            rows, dim = min(len(own), len(other)), own.shape[1] // 2
            found.append(curve(distances(own[:rows, :dim], other[:rows, dim:])).lse_c)
    return float(np.mean(found))
