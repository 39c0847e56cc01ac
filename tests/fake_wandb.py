"""A `wandb` that breaks on demand, for the process of a tracker, and how tests wait for that process."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfbench.tracker import Tracker

PATIENCE_S = 60.0  # for another process on a busy machine
AT_ONCE_S = 2.0  # for a call that must not wait; a pipe takes microseconds
FAKE = """
import errno, json, os, time
from types import SimpleNamespace as Settings

def _broken(place):
    if os.environ["FAKE_BREAKS"] == place + "=full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if os.environ["FAKE_BREAKS"] == place + "=hangs":
        time.sleep(600)

def _note(kind, value):
    with open(os.environ["FAKE_NOTES"], "a") as file:
        file.write(json.dumps([kind, value]) + "\\n")

class Run:
    def log(self, values):
        _broken("log")
        _note("log", values)

    def finish(self, exit_code=None):
        _broken("finish")
        _note("finish", exit_code)

def init(**arguments):
    _broken("init")
    _note("init", {name: value for name, value in arguments.items() if name != "settings"})
    _note("environment", {name: value for name, value in os.environ.items() if "WANDB" in name})
    return Run()

def Table(columns, data):
    return [columns, *data]

_broken("import")
"""


class FakeWandb:
    """A `wandb` that the process of a tracker imports instead of the real one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._notes, self._monkeypatch = folder / "notes.jsonl", monkeypatch
        folder.mkdir()
        (folder / "wandb.py").write_text(FAKE)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setenv("FAKE_NOTES", str(self._notes))
        self.breaks("nowhere")

    def breaks(self, how: str) -> None:
        self._monkeypatch.setenv("FAKE_BREAKS", how)

    def noted(self, kind: str) -> list[Any]:
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [value for noted, value in map(json.loads, lines) if noted == kind]


def eventually(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + patience_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def seconds(call: Callable[[], object]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


def process_of(tracker: Tracker) -> subprocess.Popen[bytes]:
    assert tracker._process is not None
    return tracker._process


def close_whole(tracker: Tracker) -> None:
    """Close, and wait for what a busy machine left to the process."""
    tracker.close()
    assert process_of(tracker).wait(PATIENCE_S) == 0
