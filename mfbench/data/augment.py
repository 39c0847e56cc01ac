"""Augmentation of training clips: faces that nobody has, so that looks are copied and not remembered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mfbench.character.face import APPEARANCE_PARAMETERS, MOTION_PARAMETERS, PALETTE, clip_to_ranges

# Standard deviation over clips: about a quarter of the spread between identities. Light moves by itself, and
# every hair style is worn by some training identity.
_SPREAD = np.array([0.1] * (3 * len(PALETTE)) + [0.05, 0.02, 0.3, 0.0] + [0.0] * 4, np.float32)


def varied_looks(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Face parameters [clips, frames, 34] with one random change of palette and shape per clip.

    With a dozen training identities a model learns their faces by heart and pulls any other towards them; a
    reference frame that never repeats can only be followed.
    """
    change = rng.normal(size=(len(face), 1, len(APPEARANCE_PARAMETERS))).astype(np.float32) * _SPREAD
    varied = face.copy()
    varied[..., len(MOTION_PARAMETERS) :] += change
    return clip_to_ranges(varied)
