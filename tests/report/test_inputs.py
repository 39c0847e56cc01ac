"""An unchanged report is recognised; any change of records or of its own files is not."""

from __future__ import annotations

import json
from pathlib import Path

from mfbench.report import inputs


def _run(folder: Path) -> Path:
    (folder / "records").mkdir(parents=True)
    (folder / "records" / "a.json").write_text("{}")
    (folder / "experiment.json").write_text("{}")
    return folder


def test_a_report_is_current_until_something_changes(tmp_path: Path) -> None:
    run, out = _run(tmp_path / "run"), tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("page")
    first = inputs.key([run], out)
    assert not inputs.is_current(out, first)
    inputs.remember(out, first)
    assert inputs.is_current(out, first)
    assert inputs.key([run], out) == first
    (out / "index.html").write_text("edited by hand")
    assert not inputs.is_current(out, first)
    (out / "index.html").write_text("page")
    (run / "records" / "a.json").write_text(json.dumps({"new": 1}))
    assert inputs.key([run], out) != first
    assert not inputs.is_current(out, inputs.key([run], out))


def test_records_folder_and_run_folder_are_the_same_inputs(tmp_path: Path) -> None:
    run, out = _run(tmp_path / "run"), tmp_path / "out"
    assert inputs.key([run], out) == inputs.key([run / "records"], out)
