from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mfbench.report import build
from tests.report.synthetic import Plan, write_run

SMALL = Plan(
    methods=("MutualForcing", "TeacherForcing", "SelfForcing"), steps=(1, 4, 50), prompts=16, seeds=(0, 1, 2)
)


@dataclass(frozen=True)
class Built:
    run: Path
    out: Path

    def record(self, cell: str) -> dict[str, Any]:
        return dict(json.loads((self.run / "records" / f"{cell}.json").read_text()))

    def cells(self) -> pd.DataFrame:
        # a method is called `null`, which pandas would read as a missing value
        kept: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
        return pd.read_csv(self.out / "cells.csv", dtype={"train_seed": str, "sample_seed": str}, **kept)

    def comparisons(self) -> pd.DataFrame:
        return pd.read_csv(self.out / "comparisons.csv")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("report")
    run = write_run(folder / "run", SMALL)
    build([run], folder / "out")
    return Built(run, folder / "out")
