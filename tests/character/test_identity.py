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


@pytest.mark.parametrize("part", [*PALETTES, "style"])
def test_training_shows_every_value_that_the_held_out_have(part: str) -> None:
    held_out = {getattr(IDENTITIES[i], part) for i in HELD_OUT_IDENTITIES}
    seen = {getattr(who, part) for i, who in enumerate(IDENTITIES) if i not in HELD_OUT_IDENTITIES}
    assert held_out <= seen


def test_two_identities_share_at_most_one_large_colour() -> None:
    for one, other in combinations(IDENTITIES, 2):
        shared = sum(
            getattr(one, part) == getattr(other, part) for part in ("skin", "hair", "shirt", "background")
        )
        assert shared <= 1


@pytest.mark.parametrize(
    ("part", "beside"),
    [
        ("hair", "background"),
        ("skin", "background"),
        ("hair", "skin"),
        ("shirt", "background"),
        ("shirt", "skin"),
    ],
)
def test_colours_that_touch_are_far_apart(part: str, beside: str) -> None:
    """RGB distance out of 442; below about 40 an outline is lost at 32 pixels."""
    for i, who in enumerate(IDENTITIES):
        distance = np.linalg.norm(np.subtract(getattr(who, part), getattr(who, beside)).astype(float))
        assert distance > 60, (i, part, beside)


def test_brows_stand_out_from_the_skin() -> None:
    for i, who in enumerate(IDENTITIES):
        assert np.linalg.norm(0.75 * np.array(who.hair) - np.array(who.skin)) > 60, i


def test_iris_colours_are_told_apart() -> None:
    for one, other in combinations(IRISES, 2):
        assert np.linalg.norm(np.subtract(one, other).astype(float)) > 60


def test_parameters_lie_in_the_legal_ranges() -> None:
    values = np.stack([identity_parameters(identity) for identity in IDENTITIES])
    assert values.shape == (16, len(APPEARANCE_PARAMETERS))
    assert len(np.unique(values, axis=0)) == 16
    low, high = np.array([RANGES[name] for name in APPEARANCE_PARAMETERS]).T
    assert ((values >= low) & (values <= high)).all()
    assert FACE_PARAMETERS[-len(APPEARANCE_PARAMETERS) :] == APPEARANCE_PARAMETERS
