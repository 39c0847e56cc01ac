"""Eight voices; two are held out of training and lie inside the range of the others."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Voice:
    """A speaker.

    Attributes:
        f0_hz: mean pitch.
        formant_scale: formants relative to the phone table (vocal tract length).
        tilt: pole of the spectral tilt filter; higher is darker.
        breathiness: aspiration noise.
        rate: speaking rate.
    """

    f0_hz: float
    formant_scale: float
    tilt: float
    breathiness: float
    rate: float


VOICES: tuple[Voice, ...] = (
    Voice(105, 0.94, 0.86, 0.010, 1.00),
    Voice(125, 1.00, 0.82, 0.018, 1.03),
    Voice(90, 0.90, 0.90, 0.012, 0.95),
    Voice(140, 1.03, 0.75, 0.030, 1.10),
    Voice(195, 1.12, 0.80, 0.026, 1.02),
    Voice(220, 1.17, 0.76, 0.030, 1.08),
    Voice(245, 1.20, 0.84, 0.020, 0.96),
    Voice(175, 1.08, 0.72, 0.050, 1.02),
)
HELD_OUT_VOICES: tuple[int, ...] = (1, 4)


def voice_descriptor(voice: Voice) -> NDArray[np.float32]:
    """Continuous description of a voice for conditioning: 5 values of about unit scale."""
    f0, scale, tilt, breath, rate = astuple(voice)
    values = (
        np.log2(f0 / 150) * 2,
        (scale - 1.05) * 10,
        (tilt - 0.8) * 16,
        (breath - 0.025) * 60,
        (rate - 1.0) * 16,
    )
    return np.asarray(values, dtype=np.float32)
