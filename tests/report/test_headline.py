"""The table of values: decimals that hide nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfbench.report.estimates import Estimates
from mfbench.report.headline import metric_table
from mfbench.report.load import load
from tests.report.synthetic import Plan, entry, write_run


@pytest.mark.parametrize(("null", "shown"), [(0.55, "0.55"), (2.0, "2")])
def test_a_null_row_is_not_rounded_to_the_whole_numbers_of_the_others(
    null: float, shown: str, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", Plan(steps=(4,), seeds=(0,), media=False, extras=False, failing=False))
    for path in (run / "records").glob("*.json"):
        record = json.loads(path.read_text())
        record["metrics"] = {"share": entry(null if record["method"] == "null" else 1.0, "share", up=True)}
        path.write_text(json.dumps(record))
    study = load([run])
    table = metric_table(study, Estimates(study), ["share"])
    rows = {row[0].text: row[1].text for _, rows in table.groups for row in rows}
    assert rows["null (mismatched pairs)"] == shown
    assert set(rows.values()) == {shown, "1.00" if shown == "0.55" else "1"}
