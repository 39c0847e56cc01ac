from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mfbench import character
from mfbench.character.performance import perform

PRINT_BYTES = """
import hashlib
from mfbench.character.performance import perform
clip = perform(3, "test", 2, 1.28, 12.5)
print(hashlib.sha256(clip.face.tobytes() + clip.waveform.tobytes()).hexdigest(), clip.timeline)
"""


def printed(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PRINT_BYTES]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_fresh_processes_make_the_same_bytes() -> None:
    first = printed("1")
    assert first == printed("2")
    assert first.endswith(f"{perform(3, 'test', 2, 1.28, 12.5).timeline}\n")


def test_this_machine_makes_what_the_data_version_promises() -> None:
    character.self_test()


def test_a_changed_generator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character, "_FACE_DIGEST", "0" * 12)
    with pytest.raises(RuntimeError, match="raise DATA_VERSION"):
        character.self_test()


def test_the_character_needs_no_torch() -> None:
    code = (
        "import sys, mfbench.character.performance, mfbench.character.face; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
