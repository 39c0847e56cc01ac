from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from mfbench.data.media import write_mp4
from mfbench.tracker import Tracker, send_results

KEY = "0123456789abcdef0123456789abcdef01234567"


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


def test_offline_results_are_written_whole_and_without_the_key(
    results: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    run, report, clip = results
    send_results("wandb-offline", run, report, {"A@4/best": clip})
    files = [path for path in run.rglob("*") if path.is_file()]
    names = {path.suffix for path in files}
    assert {".wandb", ".json", ".mp4"} <= names, sorted(map(str, files))
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_a_tracker_that_cannot_open_warns_once_and_stays_out_of_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import wandb

    def refuse(**_: object) -> None:
        raise wandb.errors.CommError("no such server")

    monkeypatch.setattr(wandb, "init", refuse)
    tracker = Tracker("wandb", tmp_path, "run")
    with caplog.at_level(logging.WARNING):
        tracker.log({"loss": 1.0})
        tracker.log({"loss": 0.5})
        tracker.close()
    assert len(caplog.records) == 1
    assert "--track wandb-offline" in caplog.text


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wandb-offline, wandb, got 'online'"):
        Tracker("online", tmp_path, "run")
