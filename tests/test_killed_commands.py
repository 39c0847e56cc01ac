"""`score` and `report` killed with -9 at random moments: the same command ends well and nothing is lost."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfbench.bench.scoring.out_folder import JOURNAL
from mfbench.files import LIST
from tests.bench.scoring.film_world import real_film
from tests.report.synthetic import Plan, write_run

ROOT = Path(__file__).parent.parent
KILLS = 50
MINE = ("notes.txt", "figures/mine.svg", "records.zip")  # of the user, in the folder of the results


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mfbench", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(folder: Path, *arguments: object) -> str:
    process = start(folder, *arguments)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


def hashes(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def results(out: Path) -> dict[str, str]:
    return {name: text for name, text in hashes(out).items() if name not in (*MINE, JOURNAL, LIST)}


def mine(out: Path) -> dict[str, str]:
    for name in MINE:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(f"{name} of the user")
    return {name: text for name, text in hashes(out).items() if name in MINE}


def lives(folder: Path, longest_s: float, seed: int, *arguments: object) -> Iterator[bool]:
    """The command, `KILLS` times killed at a random moment; whether it had ended before."""
    moments = random.Random(seed)
    for _ in range(KILLS):
        process = start(folder, *arguments)
        time.sleep(moments.uniform(0.0, longest_s))
        process.kill()
        output, _ = process.communicate()
        assert "Traceback" not in output
        assert process.returncode in (0, -9), output
        yield process.returncode == 0


def keys(journal: Path) -> list[str]:
    lines = journal.read_bytes().split(b"\n")[:-1] if journal.is_file() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line)["key"])
        except ValueError:  # half a line, ended by the next call
            continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_fifty_kills_of_score(tmp_path: Path) -> None:
    films, reference, out = tmp_path / "films", tmp_path / "reference", tmp_path / "out"
    for folder, count, seed in ((films, 6, 0), (reference, 16, 10)):
        folder.mkdir()
        for index in range(count):
            real_film(folder / f"{index:02d}.mp4", seed + index, 4.8)
    command = ("score", films, "--reference", reference, "--cache", tmp_path / "cache", "--jobs", 2, "--out")
    finish(tmp_path, *command, tmp_path / "calm")
    began = time.monotonic()
    shutil.rmtree(tmp_path / "calm")
    finish(tmp_path, *command, tmp_path / "calm")
    undisturbed_s = time.monotonic() - began
    wanted = results(tmp_path / "calm")
    ours, known = {**hashes(films), **hashes(reference)}, set[str]()
    stop = start(tmp_path, *command, out)
    while not (out / LIST).is_file():
        time.sleep(0.02)
    stop.kill()
    stop.communicate()
    notes = mine(out)
    for ended in lives(tmp_path, undisturbed_s, 1, *command, out):
        written = keys(out / JOURNAL)
        assert len(set(written)) == len(written), "a finished clip was read again"
        assert known <= set(written), "a finished clip was lost"
        known = set(written)
        if ended:
            assert results(out) == wanted
            (out / JOURNAL).unlink()  # begin anew, so that kills come at every stage
            known = set()
    assert "were read before" in finish(tmp_path, *command, out) or not known
    assert results(out) == wanted
    assert {name: text for name, text in hashes(out).items() if name in MINE} == notes
    assert {**hashes(films), **hashes(reference)} == ours


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_fifty_kills_of_report(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Plan())
    began = time.monotonic()
    finish(tmp_path, "report", run, "--out", tmp_path / "calm")
    undisturbed_s = time.monotonic() - began
    wanted, records, out = results(tmp_path / "calm"), hashes(run), tmp_path / "out"
    finish(tmp_path, "report", run, "--out", out)
    notes = mine(out)
    page = out / "index.html"
    for ended in lives(tmp_path, 1.2 * undisturbed_s, 2, "report", run, "--out", out):
        assert page.read_bytes() == (tmp_path / "calm" / "index.html").read_bytes()  # whole at any moment
        if ended:
            (out / "built_from.json").write_text("{")  # so that the next one draws again
    finish(tmp_path, "report", run, "--out", out)
    assert results(out) == wanted
    assert {name: text for name, text in hashes(out).items() if name in MINE} == notes
    assert hashes(run) == records
