from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mfbench.character.face import APPEARANCE_PARAMETERS, FACE_PARAMETERS, RANGES
from mfbench.character.identity import (
    BACKGROUNDS,
    HAIRS,
    HELD_OUT_IDENTITIES,
    IDENTITIES,
    IRISES,
    SHIRTS,
    SKINS,
    STYLES,
    identity_parameters,
)

PALETTES = {"skin": SKINS, "hair": HAIRS, "shirt": SHIRTS, "background": BACKGROUNDS, "iris": IRISES}


@pytest.mark.parametrize("part", PALETTES)
def test_every_colour_is_worn(part: str) -> None:
    assert {getattr(identity, part) for identity in IDENTITIES} == set(PALETTES[part])


def test_every_style_is_worn() -> None:
    assert {identity.style for identity in IDENTITIES} == set(range(len(STYLES)))


def test_training_identities_wear_every_colour_of_the_held_out_ones() -> None:
    seen = [identity for i, identity in enumerate(IDENTITIES) if i not in HELD_OUT_IDENTITIES]
    for i in HELD_OUT_IDENTITIES:
        for part in (*PALETTES, "style"):
            assert getattr(IDENTITIES[i], part) in {getattr(identity, part) for identity in seen}


def test_no_two_identities_share_skin_hair_shirt_and_background_pairs() -> None:
    for one, other in combinations(IDENTITIES, 2):
        shared = sum(
            getattr(one, part) == getattr(other, part) for part in ("skin", "hair", "shirt", "background")
        )
        assert shared <= 2


def test_parameters_lie_in_the_legal_ranges() -> None:
    values = np.stack([identity_parameters(identity) for identity in IDENTITIES])
    assert values.shape == (16, len(APPEARANCE_PARAMETERS))
    assert len(np.unique(values, axis=0)) == 16
    low, high = np.array([RANGES[name] for name in APPEARANCE_PARAMETERS]).T
    assert ((values >= low) & (values <= high)).all()
    assert FACE_PARAMETERS[-len(APPEARANCE_PARAMETERS) :] == APPEARANCE_PARAMETERS
