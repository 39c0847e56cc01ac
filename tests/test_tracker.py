"""What a tracker writes, under which id, and with which variables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mfbench.data.media import write_mp4
from mfbench.tracker import Tracker, send_results
from mfbench.training.tracking import backends
from tests.fake_wandb import FakeWandb, close_whole, eventually

KEY = "0123456789abcdef0123456789abcdef01234567"
STRANGERS = {
    "WANDB_RUN_ID": "abc",
    "WANDB_RESUME": "must",
    "WANDB_MODE": "disabled",
    "WANDB_NAME": "another",
    "WANDB_RUN_GROUP": "another",
    "WANDB_PROJECT": "another",
    "WANDB_SWEEP_ID": "abc",
    "WANDB_SERVICE": "abc",
    "WANDB_DIR": "/nowhere",
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    return FakeWandb(tmp_path / "fake", monkeypatch)


@pytest.fixture
def results(tmp_path: Path) -> tuple[Path, Path, Path]:
    run, report = tmp_path / "run", tmp_path / "report"
    run.mkdir()
    report.mkdir()
    (report / "cells.csv").write_text("cell,method,value\nnull,null,0.5\n")
    (report / "comparisons.csv").write_text("method,metric,difference\nA,per,-0.1\n")
    clip = tmp_path / "best.mp4"
    frames = np.zeros((8, 32, 32, 3), np.uint8)
    write_mp4(clip, frames, np.zeros(10240, np.float32), fps=12.5, sample_rate_hz=16000)
    return run, report, clip


def ids(run_folder: Path) -> list[str]:
    """Of the real offline runs in a run folder, in the order of their start."""
    return [path.name.split("-", 3)[3] for path in sorted(run_folder.glob("wandb/offline-run-*"))]


def test_offline_results_are_written_whole_and_without_the_key(
    results: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    run, report, clip = results

    def files() -> list[Path]:
        return [path for path in run.rglob("*") if path.is_file()]

    send_results("wandb-offline", run, report, {"A@4/best": clip})
    whole = {".wandb", ".json", ".mp4"}
    assert eventually(lambda: whole <= {path.suffix for path in files()}), sorted(map(str, files()))
    assert len([path for path in files() if path.name.endswith(".table.json")]) == 2
    assert not any(KEY.encode() in path.read_bytes() for path in files())


def test_offline_values_are_on_the_disk_after_the_end_and_no_variable_renames_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trainings, the second of them continued: two ids."""
    for name, value in STRANGERS.items():
        monkeypatch.setenv(name, value)
    for own in ("0" * 16, "1" * 16, "1" * 16):
        tracker = Tracker("wandb-offline", tmp_path, "MutualForcing", own)
        for step in range(3):
            tracker.log({"loss": float("nan"), "a_name_to_be_found": 0.5, "global_step": step})
        close_whole(tracker)
    first, second, again = ids(tmp_path)
    assert first != second == again
    for path in tmp_path.glob("wandb/offline-run-*/run-*.wandb"):
        assert b"a_name_to_be_found" in path.read_bytes(), path


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wandb-offline, wandb, got 'online'"):
        Tracker("online", tmp_path, "run")


def test_every_kind_of_value_arrives(
    tmp_path: Path, fake: FakeWandb, results: tuple[Path, Path, Path]
) -> None:
    tracker = Tracker("wandb-offline", tmp_path, "run")
    tracker.log({"loss": float("inf"), "numpy": np.float32(0.5), "global_step": 3})
    tracker.log({f"value_{i}": 0.1 for i in range(5000)})  # longer than a pipe
    tracker.table("cells", results[1] / "cells.csv")
    close_whole(tracker)
    numbers, many, table = fake.noted("log")
    assert numbers == {"loss": float("inf"), "numpy": 0.5, "global_step": 3}
    assert len(many) == 5000
    assert table == {"cells": [["cell", "method", "value"], ["null", "null", "0.5"]]}
    assert fake.noted("finish") == [0]


def test_ids_are_of_the_training_and_of_its_run_folder(tmp_path: Path, fake: FakeWandb) -> None:
    for folder, own in (
        ("a", "0" * 16),
        ("a", "1" * 16),
        ("b", "0" * 16),
        ("a", "0" * 16),
        ("a", ""),
        ("a", ""),
    ):
        tracker = Tracker("wandb-offline", tmp_path / folder, "run", own)
        tracker.log({"loss": 1.0})
        close_whole(tracker)
    opened = fake.noted("init")
    assert all(item["resume"] == "allow" for item in opened)
    found = [item["id"] for item in opened]
    assert found[3] == found[0]
    assert len({*found[:3], *found[4:]}) == 5
    assert all(not set(id_) & set("/\\#?%:") for id_ in found)


def test_the_place_of_a_run_folder_not_its_spelling_makes_the_id(
    tmp_path: Path, fake: FakeWandb, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path / "runs", Path("runs"), Path("link")):
        tracker = Tracker("wandb-offline", folder, "run", "0" * 16)
        tracker.log({"loss": 1.0})
        close_whole(tracker)
    assert len({item["id"] for item in fake.noted("init")}) == 1


def test_a_training_hands_its_own_id_on(tmp_path: Path) -> None:
    local, tracked = backends("wandb", tmp_path, "MutualForcing", "0" * 16)
    assert local["type"] == "LocalVisBackend"
    assert tracked["tracker"]["id_"] == "0" * 16


def test_access_is_kept_and_settings_are_not(
    tmp_path: Path, fake: FakeWandb, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": "https://example.org", "WANDB_ENTITY": "someone"}
    for name, value in {**STRANGERS, **kept, "_WANDB_STARTUP_DEBUG": "1"}.items():
        monkeypatch.setenv(name, value)
    tracker = Tracker("wandb-offline", tmp_path, "MutualForcing")
    tracker.log({"loss": 1.0})
    close_whole(tracker)
    assert fake.noted("environment") == [kept]
    (opened,) = fake.noted("init")
    assert opened["group"] == tmp_path.name
    assert (opened["project"], opened["name"], opened["mode"]) == ("mfbench", "MutualForcing", "offline")


def test_a_tracker_without_values_starts_nothing(tmp_path: Path) -> None:
    Tracker("wandb-offline", tmp_path, "run").close()
    assert list(tmp_path.iterdir()) == []


def test_the_process_of_training_never_imports_the_package(tmp_path: Path, fake: FakeWandb) -> None:
    script = (
        "import sys; from mfbench.tracker import Tracker\n"
        "tracker = Tracker('wandb-offline', sys.argv[1], 'run')\n"
        "tracker.log({'loss': 1.0}); tracker.close()\n"
        "sys.exit('wandb' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
