"""What the command refuses before any work."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from mfbench import cli
from mfbench.bench.scoring.out_folder import PLACE, prepare_out
from mfbench.errors import UsageError
from mfbench.files import LIST


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"x")
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main(["score", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("mfbench: ")
    assert len(captured.err.splitlines()) == 1
    return captured.err


def test_folders_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert "there is no such folder" in refused(capsys, tmp_path / "none")
    assert "name a folder of clips" in refused(capsys, tmp_path / "empty")


def test_other_usage_errors(films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["score", str(films), "--jobs", "-1"])
    assert "--jobs: wanted a whole number from 0" in capsys.readouterr().err
    assert "there is no such folder" in refused(capsys, films, "--reference", tmp_path / "none")
    (tmp_path / "m.csv").write_text("id,video\na,films/a.mp4\nb,films/none.mp4\n")
    assert "m.csv:3: video films/none.mp4: there is no such file" in refused(
        capsys, films, "--manifest", tmp_path / "m.csv"
    )
    assert "cannot read" in refused(capsys, films, "--weights", tmp_path / "none.yaml")


def test_the_reference_must_be_large_enough(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoKit:
        path, digest = tmp_path / "none.npz", "0"

    monkeypatch.setattr("mfbench.bench.judging.kit.load_or_fit", lambda *_: NoKit())
    text = refused(capsys, films, "--reference", films, "--out", tmp_path / "out")
    assert "has 1 films and at least 16 are needed" in text


def test_results_of_another_folder_are_kept(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    prepare_out(out, tmp_path / "others")
    (out / "summary.json").write_text(json.dumps({"folder": "others"}))
    assert "holds results of others" in refused(capsys, films, "--out", out)
    assert json.loads((out / "summary.json").read_text()) == {"folder": "others"}


@pytest.mark.parametrize("name", ["summary.json", "clips.csv", "index.html", "figures/mine.svg"])
def test_files_that_score_did_not_write_are_kept(
    films: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "paper" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert "no list of what mfbench wrote" in refused(capsys, films, "--out", tmp_path / "paper")
    assert [path for path in (tmp_path / "paper").rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"folder": 3}'])
def test_half_results_never_block_the_same_command(films: Path, tmp_path: Path, text: str) -> None:
    """A crash or a full disk between two files, or in one of them."""
    out = tmp_path / "out"
    prepare_out(out, films)
    (out / "clips.csv").touch()
    prepare_out(out, films)
    (out / "summary.json").write_text(text)
    prepare_out(out, films)
    (out / PLACE).write_text(text)
    prepare_out(out, films)


def test_the_same_folder_may_be_scored_again(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    prepare_out(out, films)
    (out / "summary.json").write_text(json.dumps({"folder": "films"}))
    prepare_out(out, films / ".." / "films")
    assert sorted(path.name for path in out.iterdir()) == [PLACE, LIST, "summary.json"]


def test_two_folders_of_one_name_are_told_apart(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "out", tmp_path / "elsewhere" / "films"
    shutil.copytree(films, other)
    prepare_out(out, films)
    prepare_out(out, other)  # no results yet
    (out / "summary.json").write_text(json.dumps({"folder": "films"}))
    assert "another folder that is called films, too" in refused(capsys, films, "--out", out)
    prepare_out(out, other)
    place = (out / PLACE).read_text()
    assert re.fullmatch(r"[0-9a-f]{16}\n", place)  # no path
    (out / PLACE).unlink()  # as the message says
    prepare_out(out, films)
    assert (out / PLACE).read_text() != place
    with pytest.raises(UsageError, match="was at another place"):
        prepare_out(out, other)


def test_an_out_that_cannot_be_written(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused(capsys, films, "--out", tmp_path / "file")
    assert "cannot be written" in refused(capsys, films, "--out", tmp_path / "file" / "out")
