from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mfbench.bench.collect import scrub
from mfbench.bench.lock import run_lock
from mfbench.bench.progress import Running, clock
from mfbench.bench.run import covered
from mfbench.bench.schedule import Interval
from mfbench.bench.stage import Stage, StageResult, StageSpec
from mfbench.bench.store import Failure, MissingParentError, Store
from mfbench.errors import CorruptError, UsageError

RUN = {"started": 0.0, "finished": 1.0, "threads": 1, "device": "cpu"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def published(store: Store, text: str = "weights") -> Stage:
    stage = Stage(StageSpec("train", "X", (1,), {}), "digest", "train X")
    temporary = store.begin(stage.spec)
    (temporary / "artifacts" / "deep").mkdir()
    (temporary / "artifacts" / "deep" / "w.bin").write_text(text)
    store.publish(stage, temporary, StageResult({"a": 1}), RUN)
    return stage


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../../secret.png", "deep/../../result.json", "deep/none.bin", "deep"]
)
def test_media_of_a_result_are_among_its_artifacts(store, path):
    stage = published(store)
    result = store.folder(stage.spec) / "result.json"
    written = json.loads(result.read_text())
    result.write_text(json.dumps({**written, "media": [{"path": path, "role": "best"}]}))
    with pytest.raises(CorruptError, match="media path"):
        store.read(stage.spec)
    result.write_text(json.dumps({**written, "media": [{"path": "deep/w.bin"}]}))
    assert store.read(stage.spec).result.media


@pytest.mark.parametrize("name", ["../outside.bin", "deep/link.bin"])
def test_artifacts_lie_inside_their_stage(store, name, tmp_path):
    stage = published(store)
    folder = store.folder(stage.spec)
    (folder / "outside.bin").write_text("x")
    (folder / "artifacts/deep/link.bin").symlink_to(folder / "outside.bin")
    result = json.loads((folder / "result.json").read_text())
    result["artifacts"][name] = {"bytes": 1, "sha256": "0"}
    (folder / "result.json").write_text(json.dumps(result))
    with pytest.raises(CorruptError, match="leads out of it"):
        store.read(stage.spec)


def test_a_run_folder_that_is_a_link_is_read(store, tmp_path):
    stage = published(store)
    store.root.rename(tmp_path / "elsewhere")
    store.root.symlink_to(tmp_path / "elsewhere")
    assert store.read(stage.spec).result.values == {"a": 1}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"spec": 3}'])
def test_a_broken_spec_is_a_corrupt_result(store, text):
    stage = published(store)
    (store.folder(stage.spec) / "spec.json").write_text(text)
    with pytest.raises(CorruptError, match=r"spec\.json is unreadable"):
        store.parent("train", stage.id)


def test_what_is_no_half_stage_is_left_alone(store, tmp_path):
    published(store)
    folder = store.root / "stages" / "train"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("mine")
    (folder / ".tmp-link").symlink_to(tmp_path / "mine")
    (folder / ".tmp-file").write_text("file")
    (folder / ".tmp-half").mkdir()
    store.clean()
    assert sorted(path.name for path in folder.glob(".tmp-*")) == [".tmp-file", ".tmp-link"]
    assert (tmp_path / "mine" / "x").read_text() == "mine"


def test_publication_is_one_rename_and_leaves_nothing_behind(store):
    stage = published(store)
    assert store.finished(stage.spec)
    finished = store.read(stage.spec)
    assert finished.result.values == {"a": 1}
    assert list(finished.artifacts) == ["deep/w.bin"]
    assert not store.scratch(stage.spec).exists()
    assert {path.name for path in store.folder(stage.spec).parent.iterdir()} == {stage.id}
    assert store.parent("train", stage.id).spec == stage.spec


def test_what_is_finished_is_never_overwritten(store):
    stage = published(store, "first")
    published(store, "second")
    assert (store.folder(stage.spec) / "artifacts/deep/w.bin").read_text() == "first"


def test_damage_is_found(store):
    stage = published(store)
    path = store.folder(stage.spec) / "artifacts" / "deep" / "w.bin"
    path.write_text("WEIGHTS")
    store.read(stage.spec)  # the size is right
    with pytest.raises(CorruptError, match=r"content of deep/w\.bin has changed"):
        store.parent("train", stage.id)
    path.write_text("w")
    with pytest.raises(CorruptError, match="has 1 bytes, published were 7"):
        store.read(stage.spec)
    path.unlink()
    with pytest.raises(CorruptError, match="is missing"):
        store.read(stage.spec)
    (store.folder(stage.spec) / "result.json").write_text("{")
    with pytest.raises(CorruptError, match="unreadable"):
        store.read(stage.spec)
    with pytest.raises(MissingParentError, match="nowhere"):
        store.parent("train", "nowhere")


def test_values_that_json_cannot_hold_are_refused_before_publication(store):
    stage = Stage(StageSpec("train", "X", (1,), {}), "digest", "train X")
    with pytest.raises(ValueError, match="JSON"):
        store.publish(stage, store.begin(stage.spec), StageResult({"a": float("nan")}), RUN)
    assert not store.finished(stage.spec)


def test_leftovers_go_and_checkpoints_stay(store):
    stage = Stage(StageSpec("train", "X", (1,), {}), "digest", "train X")
    temporary = store.begin(stage.spec)
    assert not store.finished(stage.spec)
    (store.scratch(stage.spec) / "checkpoint").write_text("10")
    store.clean()
    assert not temporary.exists()
    assert (store.scratch(stage.spec) / "checkpoint").read_text() == "10"


def test_failures_are_remembered_until_success(store):
    stage = Stage(StageSpec("train", "X", (1,), {}), "digest", "train X")
    store.fail(Failure(stage.id, "ValueError", "no"))
    assert store.failure(stage.id) == Failure(stage.id, "ValueError", "no")
    published(store)
    assert store.failure(stage.id) is None


def test_lock_excludes_other_processes_and_is_freed_with_the_last_holder(tmp_path):
    code = (
        "import sys, pathlib; from mfbench.bench.lock import run_lock\n"
        "with run_lock(pathlib.Path(sys.argv[1]), 0.0): pass"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with run_lock(tmp_path) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=(descriptor,))
        blocked = subprocess.run(command, capture_output=True, text=True)
        assert "another run" in blocked.stderr
    with pytest.raises(UsageError, match="another run"), run_lock(tmp_path, 0.1):
        pass  # the child still holds it
    child.communicate(b"\n")
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_a_folder_that_no_run_made_is_left_alone(tmp_path):
    """A run clears `jobs` and `failures` of its folder and moves records aside."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="was made by no run, nothing in it is touched"), run_lock(tmp_path):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["jobs", "mine.txt"]


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"), run_lock(tmp_path / "file" / "run"):
        pass


def test_children_die_with_their_parent():
    grandchild = (
        "import os; from mfbench.processes import die_with_parent; die_with_parent(os.getppid());"
        "print(os.getpid(), flush=True); import time; time.sleep(60)"
    )
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}]).wait()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.kill()
    parent.wait()
    assert parent.stdout.read() == ""  # ends only when the grandchild has closed it
    parent.stdout.close()


def test_scrubbed_text_holds_no_absolute_path(tmp_path):
    text = f'File "{tmp_path}/a/b.py", line 3; and /home/someone/x.bin, but 1/2 and a/b stay'
    assert scrub(text) == 'File "b.py", line 3; and x.bin, but 1/2 and a/b stay'
    assert scrub(__file__).endswith("tests/bench/test_store.py")
    assert not scrub(__file__).startswith("/")


def test_covered_time_counts_overlaps_once():
    intervals = [Interval("a", 0, 2), Interval("b", 1, 3), Interval("c", 1, 2), Interval("d", 5, 6)]
    assert covered(intervals) == 4
    assert covered([]) == 0


def test_progress_line_has_rate_and_eta():
    running = Running("job", "train X", 0.0)
    running.advance({"done": 10, "total": 100, "note": "loss 2", "time": 5.0})
    running.advance({"done": 30, "total": 100, "note": "loss 1", "time": 15.0})
    assert running.line(15.0) == "train X 30/100 2/s eta 0:35 [0:15] loss 1"
    assert [clock(s) for s in (0, 61, 3723)] == ["0:00", "1:01", "1:02:03"]
