from __future__ import annotations

import numpy as np

from mfbench.bench.bodies.beyond import _per_prompt, _repeated, covers
from mfbench.character.timeline import Timeline
from mfbench.metrics.base import Prompts


def test_repeats_of_a_prompt_stand_in_a_row_with_seeds_of_their_own() -> None:
    said = tuple(Timeline((), (), float(k)) for k in range(2))
    asked = Prompts(said, np.array([3, 4]), np.array([5, 6]), np.array([0, 1]), np.array([9, 9]))
    found = _repeated(asked, 3)
    assert [t.duration_s for t in found.timelines] == [0, 0, 0, 1, 1, 1]
    assert found.voice.tolist() == [3, 3, 3, 4, 4, 4]
    assert found.prompt.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.seed.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_prompt_is_one_sample_of_the_bootstrap() -> None:
    entry = {"value": 2.0, "n": 4, "per_clip": [1.0, 3.0, None, 5.0]}
    assert _per_prompt(entry, 2) == {"value": 2.0, "n": 2, "per_clip": [2.0, None]}
    assert _per_prompt({"value": None, "n": 0, "per_clip": None}, 2)["n"] == 0


def test_drift_and_diversity_are_measured_apart() -> None:
    assert covers("drift_colour")
    assert covers("diversity_a")
    assert not covers("per")
