"""What one film contributes to every metric; plain values that cross process borders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.base import Status

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """One metric of one film: a ratio whose sums over films give the value of all.

    Attributes:
        root: whether the value is the root of that ratio, as of a mean square.
        reason: why there is no number, "" where there is one.
    """

    status: Status
    numerator: float = float("nan")
    denominator: float = 1.0
    reason: str = ""
    root: bool = False

    @property
    def value(self) -> float | None:
        """Of this film alone."""
        if self.status != "ok":
            return None
        ratio = self.numerator / self.denominator
        return float(np.sqrt(ratio)) if self.root else ratio


@dataclass(frozen=True)
class Features:
    """Points of one film for set metrics, [points, values] per name (`video`, `audio`, `joint`)."""

    points: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class FilmResult:
    """What became of one entry.

    Attributes:
        status: `failed_generation` where there is no film that can be read.
        reason: why not.
        seconds: of media that were read.
        is_character: whether the readers know the face.
        notes: what a reader of the numbers should know, from the file's facts.
    """

    id: str
    file: str
    status: Literal["ok", "failed_generation"]
    reason: str = ""
    seconds: float = 0.0
    is_character: bool = False
    pieces: dict[str, Piece] = field(default_factory=dict)
    features: Features = field(default_factory=Features)
    facts: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
