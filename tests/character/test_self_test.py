from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from mfbench import character
from mfbench.character.performance import perform
from mfbench.data.talking_character import TalkingCharacter

PRINT_CLIP = """
import hashlib, sys
from mfbench.character.performance import perform
clip = perform(3, "test", 2, 1.28, 12.5)
print(hashlib.sha256(clip.face.tobytes() + clip.waveform.tobytes()).hexdigest())
print(clip.timeline)
print("torch" in sys.modules)
"""


@pytest.fixture(scope="module")
def fresh_process() -> list[str]:
    """What another interpreter, with another hash seed, makes of a clip."""
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", PRINT_CLIP]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )


def test_a_fresh_process_makes_the_same_bytes(fresh_process: list[str]) -> None:
    clip = perform(3, "test", 2, 1.28, 12.5)
    assert fresh_process[0] == hashlib.sha256(clip.face.tobytes() + clip.waveform.tobytes()).hexdigest()
    assert fresh_process[1] == str(clip.timeline)


def test_the_character_needs_no_torch(fresh_process: list[str]) -> None:
    assert fresh_process[2] == "False"


def test_this_machine_makes_what_the_data_version_promises() -> None:
    character.self_test()


def test_rounding_before_hashing_forgives_the_last_bit() -> None:
    clip = perform(0, "train", 0, 1.28, 12.5)
    envelope = np.sqrt((clip.waveform.reshape(-1, 320).astype(np.float64) ** 2).mean(1))
    for values in (clip.face.astype(np.float64), envelope):
        assert 1e-3 * np.abs((1e3 * values) % 1 - 0.5).min() > 1e-6


def test_the_world_of_the_stages_is_the_world_of_the_digests() -> None:
    """A stage hashes the class constant, which must be a literal; a changed world needs both."""
    assert TalkingCharacter.version == character.DATA_VERSION


def test_a_changed_generator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character, "_FACE_DIGEST", "0" * 12)
    with pytest.raises(RuntimeError, match="raise DATA_VERSION"):
        character.self_test()
