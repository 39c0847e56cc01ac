"""The 16 phones: formants, sources, durations and mouth shapes.

Parameters follow Klatt (1980) and Klatt & Klatt (1990) in kind; values are tuned for a drawn mouth. L keeps
its first formants well away from UW, with which listeners and recognisers confuse it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["silence", "vowel", "nasal", "approximant", "plosive", "fricative"]


@dataclass(frozen=True)
class Mouth:
    """Mouth shape, each in [0, 1]."""

    open: float
    width: float
    round: float
    teeth: float


@dataclass(frozen=True)
class Phone:
    """One phone.

    Attributes:
        formants_hz: F1, F2, F3 of an average voice.
        voicing, noise: source amplitudes.
        noise_hz, noise_bandwidth_hz: resonance of the noise source.
        duration_s: mean duration at rate 1.
    """

    name: str
    kind: Kind
    formants_hz: tuple[float, float, float]
    voicing: float
    noise: float
    noise_hz: float
    noise_bandwidth_hz: float
    duration_s: float
    mouth: Mouth


def _voiced(
    name: str,
    kind: Kind,
    formants_hz: tuple[float, float, float],
    voicing: float,
    duration_s: float,
    mouth: Mouth,
) -> Phone:
    return Phone(name, kind, formants_hz, voicing, 0.0, 3000, 2000, duration_s, mouth)


PHONES: tuple[Phone, ...] = (
    _voiced("SIL", "silence", (500, 1500, 2500), 0.00, 0.24, Mouth(0.00, 0.50, 0.0, 0.0)),
    _voiced("AA", "vowel", (760, 1120, 2500), 1.00, 0.20, Mouth(1.00, 0.62, 0.0, 0.2)),
    _voiced("EH", "vowel", (560, 1840, 2560), 0.95, 0.20, Mouth(0.58, 0.82, 0.0, 0.5)),
    _voiced("IY", "vowel", (280, 2300, 3000), 0.85, 0.20, Mouth(0.28, 1.00, 0.0, 0.9)),
    _voiced("OW", "vowel", (480, 860, 2400), 0.95, 0.20, Mouth(0.66, 0.30, 0.8, 0.0)),
    _voiced("UW", "vowel", (300, 780, 2200), 0.85, 0.20, Mouth(0.30, 0.10, 1.0, 0.0)),
    _voiced("M", "nasal", (250, 1050, 2150), 0.42, 0.13, Mouth(0.00, 0.50, 0.0, 0.0)),
    _voiced("N", "nasal", (280, 1650, 2650), 0.42, 0.11, Mouth(0.18, 0.62, 0.0, 0.8)),
    _voiced("L", "approximant", (420, 1450, 2950), 0.60, 0.12, Mouth(0.36, 0.60, 0.0, 0.3)),
    Phone("B", "plosive", (300, 900, 2200), 0.16, 0.35, 1000, 1500, 0.13, Mouth(0.00, 0.50, 0.0, 0.0)),
    Phone("P", "plosive", (400, 1000, 2200), 0.00, 0.55, 1200, 2000, 0.13, Mouth(0.00, 0.50, 0.0, 0.0)),
    Phone("T", "plosive", (400, 1750, 2700), 0.00, 0.70, 4300, 1800, 0.12, Mouth(0.16, 0.70, 0.0, 0.8)),
    Phone("K", "plosive", (400, 1900, 2300), 0.00, 0.60, 1900, 700, 0.12, Mouth(0.30, 0.55, 0.0, 0.2)),
    Phone("S", "fricative", (350, 1700, 2700), 0.00, 0.34, 6000, 1800, 0.14, Mouth(0.12, 0.85, 0.0, 1.0)),
    Phone("SH", "fricative", (350, 1900, 2600), 0.00, 0.42, 2900, 1300, 0.14, Mouth(0.24, 0.25, 0.7, 0.9)),
    Phone("F", "fricative", (350, 1100, 2200), 0.00, 0.16, 4000, 7000, 0.13, Mouth(0.06, 0.60, 0.0, 1.0)),
)
PHONE_INDEX: dict[str, int] = {phone.name: i for i, phone in enumerate(PHONES)}
VOWELS: tuple[str, ...] = tuple(p.name for p in PHONES if p.kind == "vowel")
BILABIALS: tuple[str, ...] = ("M", "B", "P")
