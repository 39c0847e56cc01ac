from __future__ import annotations

from pathlib import Path

import pytest

from mfbench.bench.pilot import SET, margins
from mfbench.errors import UsageError

HEAD = "experiment,cell,method,steps,train_seed,sample_seed,metric,value\n"


def _tables(folder: Path, rows: list[tuple[str, str, str, float]]) -> Path:
    lines = [f"x,x,{method},{steps},all,all,{metric},{value}" for method, steps, metric, value in rows]
    lines.append("x,x,TeacherForcing,50,0,0,per,99")  # a single cell is no pooled value
    (folder / "cells.csv").write_text(HEAD + "\n".join(lines) + "\n")
    return folder


def _complete() -> list[tuple[str, str, str, float]]:
    anchors = [(m, "", n, v) for n in ("sync_corr", "per") for m, v in (("real", 0.9), ("null", 0.1))]
    sets = [("TeacherForcing", s, n, v) for n in SET for s, v in (("1", 2.5), ("50", 0.5))]
    return anchors + sets


def test_margins_are_a_tenth_of_the_effect(tmp_path: Path) -> None:
    found = margins(_tables(tmp_path, _complete()))
    assert found["per"] == pytest.approx(0.08)
    assert found["kavd_lite"] == pytest.approx(0.2)


def test_a_missing_table_or_row_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cells\.csv.*run the pilot"):
        margins(tmp_path)
    rows = [row for row in _complete() if row[:2] != ("TeacherForcing", "50")]
    with pytest.raises(UsageError, match="TeacherForcing@50"):
        margins(_tables(tmp_path, rows))
