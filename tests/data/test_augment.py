from __future__ import annotations

import numpy as np

from mfbench.character.face import APPEARANCE_PARAMETERS, LIGHT, MOTION_PARAMETERS, clip_to_ranges
from mfbench.data.augment import varied_looks
from mfbench.data.talking_character import TalkingCharacter

MOTION = slice(0, len(MOTION_PARAMETERS))


def _faces() -> np.ndarray:
    return TalkingCharacter(seconds=1.28).arrays("train", 6, 1.28).face


def test_motion_light_and_style_stay_and_looks_change_once_per_clip() -> None:
    face = _faces()
    varied = varied_looks(face, np.random.default_rng(0))
    np.testing.assert_array_equal(varied[..., MOTION], face[..., MOTION])
    np.testing.assert_array_equal(varied[..., LIGHT], face[..., LIGHT])
    np.testing.assert_array_equal(varied[..., -4:], face[..., -4:])
    looks = varied[..., len(MOTION_PARAMETERS) : LIGHT]
    assert (looks == looks[:, :1]).all()
    changed = np.abs(looks - face[..., len(MOTION_PARAMETERS) : LIGHT])[:, 0] > 0.01
    assert changed.mean() > 0.6
    assert len({tuple(row) for row in looks[:, 0].tolist()}) == len(face)
    np.testing.assert_array_equal(varied, clip_to_ranges(varied))
    assert varied.shape[-1] == len(MOTION_PARAMETERS) + len(APPEARANCE_PARAMETERS)


def test_a_world_augments_the_same_way_every_time_and_only_if_asked() -> None:
    face, world = _faces(), TalkingCharacter(seconds=1.28)
    np.testing.assert_array_equal(world.augmented(face), world.augmented(face))
    plain = TalkingCharacter(seconds=1.28, vary_looks=False)
    np.testing.assert_array_equal(plain.augmented(face), face)
