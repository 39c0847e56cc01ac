from __future__ import annotations

import numpy as np

from mfbench.character.voices import HELD_OUT_VOICES, VOICES, voice_descriptor

DESCRIPTORS = np.stack([voice_descriptor(voice) for voice in VOICES])


def test_held_out_voices_are_inside_the_training_range_of_every_dimension() -> None:
    training = np.delete(DESCRIPTORS, HELD_OUT_VOICES, axis=0)
    held_out = DESCRIPTORS[list(HELD_OUT_VOICES)]
    assert held_out.shape == (2, 5)
    assert (held_out > training.min(0)).all()
    assert (held_out < training.max(0)).all()


def test_descriptors_are_of_about_unit_scale_and_tell_voices_apart() -> None:
    assert DESCRIPTORS.dtype == np.float32
    assert (DESCRIPTORS.std(0) > 0.5).all()
    assert (DESCRIPTORS.std(0) < 2.0).all()
    distances = np.linalg.norm(DESCRIPTORS[:, None] - DESCRIPTORS[None], axis=-1)
    assert distances[~np.eye(len(VOICES), dtype=bool)].min() > 0.5
