"""The real smoke experiment, killed again and again."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mfbench.bench import record
from tests.bench.processes import gone

ROOT = Path(__file__).parents[2]
KILLS = 20


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mfbench", "run", str(ROOT / "experiments" / "smoke.py")]
    return subprocess.Popen(
        [*command, "--out", str(folder), "--no-report"],
        cwd=folder.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(folder: Path) -> None:
    process = _start(folder)
    output, _ = process.communicate()
    assert process.returncode == 0, output


def _outcome(folder: Path) -> dict[str, object]:
    """Quality metrics and artifact hashes; media are left out, encoders stamp what they like."""
    found = {item["cell"]: item for where in folder.rglob("records") for item in record.read_all(where)}
    assert found
    return {
        cell: (
            item["status"],
            {path: digest for path, digest in item["artifacts"].items() if not path.endswith(".mp4")},
            {name: metric for name, metric in item["metrics"].items() if metric["kind"] == "quality"},
        )
        for cell, item in found.items()
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    """Killed with -9 at random moments and restarted, the run ends as if nothing had happened."""
    calm, run = tmp_path / "calm" / "runs", tmp_path / "killed" / "runs"
    calm.parent.mkdir()
    run.parent.mkdir()
    started = time.monotonic()
    _finish(calm)
    duration_s = time.monotonic() - started
    wanted, moments, ended = _outcome(calm), random.Random(0), 0
    for _ in range(KILLS):
        process = _start(run)
        try:
            process.communicate(timeout=moments.uniform(0.02, 0.5) * duration_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            assert gone(run.parent), "orphans stay"
        else:  # nothing was left to kill: compare, and begin anew
            assert process.returncode == 0
            assert _outcome(run) == wanted
            shutil.rmtree(run)
            ended += 1
    _finish(run)
    assert _outcome(run) == wanted
    assert not list(run.rglob(".tmp-*"))
    assert ended < KILLS, "no run was killed"
