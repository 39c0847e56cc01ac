"""Files appear whole; folders that are not ours are left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from mfbench import files
from mfbench.errors import PreflightError, UsageError
from mfbench.files import LIST, OwnFolder, beside, write


def content(folder: Path) -> dict[str, str]:
    found = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return {name: text for name, text in found.items() if name != LIST}


def listed(folder: Path) -> dict[str, list[str]]:
    return dict(json.loads((folder / LIST).read_text()))


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write(path, "first")

    def fails() -> None:
        with beside(path) as part:
            part.write_text("half")
            assert path.read_text() == "first"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert content(tmp_path) == {"page.html": "first"}


def test_half_files_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine, gone = tmp_path / f".part-{os.getpid()}-a", tmp_path / f".part-{dead.pid}-a"
    for path in (mine, gone, tmp_path / ".part-x"):
        path.write_text("half")
    files.sweep(tmp_path)
    assert set(content(tmp_path)) == {mine.name, ".part-x"}


@pytest.mark.parametrize("made", [False, True])
def test_a_new_or_empty_folder_is_ours(tmp_path: Path, made: bool) -> None:
    out = tmp_path / "deep" / "out"
    if made:
        out.mkdir(parents=True)
    OwnFolder.claim(out, "--out").publish("page", {"index.html": "page", "figures/a.svg": "a"})
    assert content(out) == {"index.html": "page", "figures/a.svg": "a"}
    assert listed(out) == {"page": ["figures/a.svg", "index.html"]}


@pytest.mark.parametrize("name", ["index.html", "figures/mine.svg", "notes.txt", ".hidden"])
def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=r"--out .* no list of what mfbench wrote .* name a new"):
        OwnFolder.claim(tmp_path, "--out")
    assert content(tmp_path) == {name: "mine"}


def test_only_listed_files_are_replaced_or_go(tmp_path: Path) -> None:
    OwnFolder.claim(tmp_path, "--out").publish("page", {"a": "1", "figures/old.svg": "1"})
    (tmp_path / "figures" / "mine.svg").write_text("mine")
    (tmp_path / "mine.txt").write_text("mine")
    OwnFolder.claim(tmp_path, "--out").publish("page", {"a": "2"})
    assert content(tmp_path) == {"a": "2", "figures/mine.svg": "mine", "mine.txt": "mine"}


def test_a_name_that_the_user_took_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    OwnFolder.claim(tmp_path, "--out").publish("page", {"a": "1"})
    (tmp_path / "claims.json").write_text("mine")
    with pytest.raises(UsageError, match=r"holds claims\.json, which mfbench did not write"):
        OwnFolder.claim(tmp_path, "--out").publish("page", {"a": "2", "claims.json": "ours"})
    assert content(tmp_path) == {"a": "1", "claims.json": "mine"}


def test_what_another_writer_has_listed_stays(tmp_path: Path) -> None:
    OwnFolder.claim(tmp_path, "--out").publish("score", {"clips.csv": "1", "summary.json": "1"})
    OwnFolder.claim(tmp_path, "--out").publish("page", {"index.html": "1", "summary.json": "2"})
    OwnFolder.claim(tmp_path, "--out").publish("page", {"index.md": "1"})
    assert content(tmp_path) == {"clips.csv": "1", "summary.json": "2", "index.md": "1"}


@pytest.mark.parametrize("text", ["", "{", '{"page": ["a"', "[]", '{"page": 3}', '{"page": ["../x"]}'])
def test_a_broken_list_is_written_anew_with_a_word_and_deletes_nothing(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    OwnFolder.claim(out, "--out").publish("page", {"a": "1"})
    (tmp_path / "x").write_text("outside")
    (out / "mine").write_text("mine")
    (out / LIST).write_text(text)
    OwnFolder.claim(out, "--out").publish("page", {"a": "2"})
    assert content(out) == {"a": "2", "mine": "mine"}
    assert (tmp_path / "x").read_text() == "outside"
    assert listed(out) == {"page": ["a"]}
    assert "is damaged and is written anew" in caplog.text


def test_a_list_that_was_written_anew_counts_again(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("{")
    folder = OwnFolder.claim(tmp_path, "--out")
    folder.announce("page", ["a"])
    (tmp_path / "b").write_text("mine")
    with pytest.raises(UsageError, match="holds b, which mfbench did not write"):
        folder.announce("page", ["b"])


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    (other / "a.svg").write_text("mine")
    OwnFolder.claim(out, "--out").publish("page", {"figures/a.svg": "1", "index.html": "1"})
    shutil.rmtree(out / "figures")
    (out / "figures").symlink_to(other)
    (out / "index.html").unlink()
    (out / "index.html").symlink_to(other / "a.svg")
    with pytest.raises(UsageError, match="leads to another folder"):
        OwnFolder.claim(out, "--out").publish("page", {"figures/a.svg": "2"})
    (out / "figures").unlink()
    OwnFolder.claim(out, "--out").publish("page", {"index.html": "2"})
    assert content(other) == {"a.svg": "mine"}
    assert content(out) == {"index.html": "2"}


def test_a_kill_between_any_two_files_leaves_a_folder_that_the_same_call_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"a": "2", "b": "2", "figures/c.svg": "2"}
    for steps in range(5):
        out = tmp_path / str(steps)
        OwnFolder.claim(out, "--out").publish("page", {"a": "1", "old": "1"})
        done = []

        def dying(path: Path, text: str | bytes, steps: int = steps, done: list[Path] = done) -> None:
            if len(done) == steps:
                raise KeyboardInterrupt
            done.append(path)
            write(path, text)

        monkeypatch.setattr(files, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            OwnFolder.claim(out, "--out").publish("page", wanted)
        monkeypatch.setattr(files, "write", write)
        OwnFolder.claim(out, "--out").publish("page", wanted)
        assert content(out) == wanted


def test_two_at_once_write_the_same_folder(tmp_path: Path) -> None:
    first, second = (OwnFolder.claim(tmp_path, "--out") for _ in range(2))
    first.publish("page", {"a": "1", "b": "1"})
    second.publish("page", {"a": "1", "b": "1"})
    assert content(tmp_path) == {"a": "1", "b": "1"}


def test_targets_that_cannot_be_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(UsageError, match=rf"--reports {path} cannot be written"):
            OwnFolder.claim(path, "--reports")
    usage = namedtuple("usage", "total used free")(1, 1, 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(PreflightError, match="has 1 MB left, wanted are 8 MB"):
        OwnFolder.claim(tmp_path / "full", "--out")
