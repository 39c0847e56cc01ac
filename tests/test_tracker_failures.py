"""Whatever dies, fails or hangs in the process of a tracker, the run goes on."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mfbench import tracker as tracker_module
from mfbench.cli.verbs import run as run_verb
from mfbench.tracker import Tracker, send_results
from mfbench.training.tracking import TrackerCurves
from tests.fake_wandb import AT_ONCE_S, PATIENCE_S, FakeWandb, eventually, process_of, seconds


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    return FakeWandb(tmp_path / "fake", monkeypatch)


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def test_a_tracker_that_cannot_open_warns_once_and_stays_out_of_the_way(
    tmp_path: Path, fake: FakeWandb, caplog: pytest.LogCaptureFixture
) -> None:
    fake.breaks("init=full")
    tracker = Tracker("wandb", tmp_path, "run")
    with caplog.at_level(logging.WARNING):
        tracker.log({"loss": 1.0})
        process_of(tracker).wait(PATIENCE_S)
        tracker.log({"loss": 0.5})
        tracker.log({"loss": 0.25})
        tracker.close()
    assert len(caplog.records) == 1
    assert "No space left on device" in caplog.text
    assert "--track wandb-offline" in caplog.text


@pytest.mark.parametrize("breaks", ["import=full", "init=full", "log=full", "finish=full", "none"])
def test_what_fails_in_its_process_costs_a_training_one_warning(
    breaks: str, tmp_path: Path, fake: FakeWandb, caplog: pytest.LogCaptureFixture
) -> None:
    """`none`: the process is killed."""
    fake.breaks(breaks)
    curves = TrackerCurves(str(tmp_path), {"mode": "wandb-offline", "folder": str(tmp_path), "name": "run"})
    with caplog.at_level(logging.WARNING):
        curves.add_scalars({"loss": 1.0}, 0)
        process = process_of(curves.experiment)
        if breaks == "none":
            process.kill()
        if breaks != "finish=full":
            process.wait(PATIENCE_S)
        took = [seconds(lambda: curves.add_scalars({"loss": 1.0}, 1)) for _ in range(20)]
        if breaks == "finish=full":
            assert eventually(lambda: len(fake.noted("log")) == 21)
        closing = seconds(curves.close)
    assert max(took) < AT_ONCE_S
    assert closing < tracker_module._CLOSING_S + AT_ONCE_S
    assert len(caplog.records) == 1
    assert ("signal 9" if breaks == "none" else "No space left on device") in caplog.text


@pytest.mark.parametrize("place", ["import", "init", "log", "finish"])
def test_what_hangs_in_its_process_is_waited_for_in_vain_and_not_long(
    place: str,
    tmp_path: Path,
    fake: FakeWandb,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Many values too: 4 MB are more than the pipe and the tracker keep. The process ends itself."""
    monkeypatch.setattr(tracker_module, "_CLOSING_S", 2.0)
    monkeypatch.setattr(tracker_module, "_LINGER_S", 1.0)
    fake.breaks(f"{place}=hangs")
    tracker = Tracker("wandb-offline", tmp_path, "run")
    with caplog.at_level(logging.WARNING):
        steps = 20 if place == "finish" else 2000
        values = {f"a_name_of_some_length_{i}": 1.0 for i in range(60)}
        took = [seconds(lambda: tracker.log(values)) for _ in range(steps)]
        closing = seconds(tracker.close)
    assert max(took) < AT_ONCE_S
    assert closing < 2.0 + AT_ONCE_S
    expected = 1 if place == "finish" else 2  # values left out, then the end
    assert len(caplog.records) == expected
    assert process_of(tracker).wait(PATIENCE_S) == 1


def test_a_killed_service_costs_a_training_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The real one."""
    tracker = Tracker("wandb-offline", tmp_path, "run")
    with caplog.at_level(logging.WARNING):
        tracker.log({"loss": 1.0})
        process = process_of(tracker)
        assert eventually(lambda: bool([*tmp_path.glob("wandb/offline-run-*")] and children(process.pid)))
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)

        def told() -> bool:
            tracker.log({"loss": 1.0})
            return bool(caplog.records)

        assert eventually(told)
        assert seconds(tracker.close) < AT_ONCE_S
    assert len(caplog.records) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_training_that_is_stopped_or_killed_leaves_all_its_values(
    number: signal.Signals, tmp_path: Path, fake: FakeWandb
) -> None:
    """As executors stop one: its whole process group."""
    script = (
        "import os, sys; from mfbench.tracker import Tracker\n"
        "tracker = Tracker('wandb-offline', sys.argv[1], 'run', '0' * 16)\n"
        "for step in range(100): tracker.log({'global_step': step})\n"
        "os.killpg(0, int(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(int(number))]
    assert subprocess.run(command, process_group=0, check=False).returncode == -number
    assert eventually(lambda: bool(fake.noted("finish")))
    assert [values["global_step"] for values in fake.noted("log")] == list(range(100))
    assert fake.noted("finish") == [1]  # shown as not finished until it is continued


def test_a_folder_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wandb").write_text("no folder")
    tracker = Tracker("wandb-offline", tmp_path, "run")
    with caplog.at_level(logging.WARNING):
        tracker.log({"loss": 1.0})
        tracker.log({"loss": 1.0})
        tracker.close()
    assert len(caplog.records) == 1


def test_a_missing_table_leaves_a_finished_run_as_it_was(
    tmp_path: Path, fake: FakeWandb, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        send_results("wandb-offline", tmp_path, tmp_path / "nowhere", {})
    assert len(caplog.records) == 1
    with pytest.raises(ValueError, match="mode"):
        send_results("online", tmp_path, tmp_path, {})


def test_no_failure_of_tracking_changes_the_exit_of_the_run_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_verb, "_clips", full)
    with caplog.at_level(logging.WARNING):
        run_verb._track_results("wandb-offline", tmp_path, tmp_path)
    assert len(caplog.records) == 1
