"""Sixteen identities, stratified so that every colour and style is used and no combination repeats.

Colours that touch in the picture are far apart: hair or skin like the background would hide the outline of
the face, from a viewer and from the pixel readers alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]
SKINS: tuple[RGB, ...] = (
    (255, 224, 196),
    (241, 194, 150),
    (224, 172, 120),
    (190, 132, 86),
    (141, 90, 58),
    (98, 62, 42),
)
HAIRS: tuple[RGB, ...] = (
    (32, 28, 30),
    (92, 58, 30),
    (168, 104, 44),
    (236, 200, 96),
    (150, 40, 30),
    (176, 176, 186),
    (60, 70, 140),
    (40, 110, 80),
)
SHIRTS: tuple[RGB, ...] = (
    (200, 50, 50),
    (50, 110, 200),
    (50, 160, 90),
    (240, 190, 60),
    (130, 70, 170),
    (235, 235, 235),
    (60, 60, 66),
    (240, 130, 170),
)
BACKGROUNDS: tuple[RGB, ...] = (
    (150, 200, 235),
    (200, 225, 180),
    (245, 225, 190),
    (215, 200, 235),
    (120, 160, 160),
    (255, 205, 205),
    (180, 180, 180),
    (95, 110, 150),
)
IRISES: tuple[RGB, ...] = ((60, 40, 24), (40, 90, 160), (50, 120, 70), (176, 124, 48))
STYLES: tuple[str, ...] = ("short", "long", "crop", "bob")


@dataclass(frozen=True)
class Identity:
    """A character's looks; colours are 0..255, shape values as `face` draws them."""

    skin: RGB
    hair: RGB
    shirt: RGB
    background: RGB
    iris: RGB
    style: int
    aspect: float
    eye_spacing: float
    brow_weight: float


# palette places of skin, hair, shirt and background, found by a search under the rules that the tests hold:
# hair, shirts and backgrounds twice each, at most one colour shared by two identities, and a distance between
# colours that touch (a brow is the hair at three quarters)
_COLOURS: tuple[tuple[int, int, int, int], ...] = (
    (5, 0, 5, 6),
    (0, 3, 7, 4),
    (5, 5, 0, 5),
    (3, 7, 1, 3),
    (2, 0, 1, 1),
    (3, 4, 6, 5),
    (1, 1, 0, 3),
    (0, 1, 3, 7),
    (4, 7, 4, 4),
    (5, 6, 7, 2),
    (4, 5, 5, 7),
    (0, 6, 2, 6),
    (5, 3, 2, 1),
    (0, 2, 6, 0),
    (1, 4, 3, 0),
    (2, 2, 4, 2),
)


def _identity(i: int) -> Identity:
    """Colours from the table; iris, style and shape step through their values with different offsets."""
    skin, hair, shirt, background = _COLOURS[i]
    return Identity(
        skin=SKINS[skin],
        hair=HAIRS[hair],
        shirt=SHIRTS[shirt],
        background=BACKGROUNDS[background],
        iris=IRISES[(i + i // 8) % 4],
        style=(i // 2 + i) % 4,
        aspect=0.92 + 0.16 * ((7 * i) % 16) / 15,
        eye_spacing=0.24 + 0.05 * ((11 * i + 3) % 16) / 15,
        brow_weight=float((i // 4) % 2),
    )


IDENTITIES: tuple[Identity, ...] = tuple(_identity(i) for i in range(16))
HELD_OUT_IDENTITIES: tuple[int, ...] = (10, 11, 14, 15)  # their colours and styles occur in others


def identity_parameters(identity: Identity) -> NDArray[np.float32]:
    """The 23 appearance parameters of `face.APPEARANCE_PARAMETERS` at neutral light."""
    colours = [*identity.skin, *identity.hair, *identity.shirt, *identity.background, *identity.iris]
    style = [1.0 if identity.style == s else 0.0 for s in range(len(STYLES))]
    values = [c / 255 for c in colours]
    values += [identity.aspect, identity.eye_spacing, identity.brow_weight, 1.0, *style]
    return np.asarray(values, dtype=np.float32)
