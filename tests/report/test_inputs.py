"""An unchanged report is recognised; any change of records or of its own files is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfbench.files import OwnFolder
from mfbench.report import inputs


def _run(folder: Path) -> Path:
    (folder / "records").mkdir(parents=True)
    (folder / "records" / "a.json").write_text("{}")
    (folder / "experiment.json").write_text("{}")
    return folder


def test_a_report_is_current_until_something_changes(tmp_path: Path) -> None:
    run, out = _run(tmp_path / "run"), tmp_path / "out"
    folder = OwnFolder.claim(out, "--out")
    first = inputs.key([run], out)
    assert not inputs.is_current(folder, first)
    files = {"index.html": "page"}
    folder.publish("page", {**files, inputs.STAMP: inputs.stamp(first, files)})
    assert inputs.is_current(folder, first)
    assert inputs.key([run], out) == first
    (out / "index.html").write_text("edited by hand")
    assert not inputs.is_current(folder, first)
    (out / "index.html").write_text("page")
    (run / "records" / "a.json").write_text(json.dumps({"new": 1}))
    assert inputs.key([run], out) != first
    assert not inputs.is_current(folder, inputs.key([run], out))


@pytest.mark.parametrize("left", [0, 30, 100])
def test_a_truncated_stamp_means_a_report_made_anew_with_a_word(
    tmp_path: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder, files = OwnFolder.claim(tmp_path, "--out"), {"index.html": "page"}
    folder.publish("page", {**files, inputs.STAMP: inputs.stamp("key", files)})
    stamp = tmp_path / inputs.STAMP
    stamp.write_bytes(stamp.read_bytes()[:left])
    assert not inputs.is_current(folder, "key")
    assert "made anew" in caplog.text


def test_files_that_are_not_ours_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, files = OwnFolder.claim(tmp_path, "--out"), {"index.html": "page"}
    folder.publish("page", {**files, inputs.STAMP: inputs.stamp("key", files)})
    (tmp_path / "film.mp4").write_bytes(b"3 GB")
    read, plain = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or plain(path))
    assert inputs.is_current(folder, "key")
    assert read == ["index.html"]
    assert "film" not in (tmp_path / inputs.STAMP).read_text()


def test_records_folder_and_run_folder_are_the_same_inputs(tmp_path: Path) -> None:
    run, out = _run(tmp_path / "run"), tmp_path / "out"
    assert inputs.key([run], out) == inputs.key([run / "records"], out)
