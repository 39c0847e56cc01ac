"""Readers, and real films that they know."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_world import real_film

from mfbench.bench.judging import kit
from mfbench.metrics.observe import Readers


@pytest.fixture(scope="session")
def readers(judges: kit.Kit) -> Readers:
    return judges.readers


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real films of 2.56 s."""
    folder = tmp_path_factory.mktemp("real")
    for index in range(2):
        real_film(folder / f"real{index}.mp4", index)
    return folder
