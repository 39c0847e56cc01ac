"""The command over a folder with good and bad films, with own weights, twice."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_world import RATE_HZ, real_film, real_take
from scipy.io import wavfile

from mfbench import cli
from mfbench.bench.judging import kit
from mfbench.bench.scoring.out_folder import JOURNAL
from mfbench.metrics.full.weights import digest
from tests.metrics.full.full_world import arcface_file, vggish_file

Score = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 films of the least length that a reference may have, the same four times."""
    folder = tmp_path_factory.mktemp("reference")
    for index in range(4):
        first = real_film(folder / f"{index}.mp4", 10 + index, 4.8)
        for again in range(3):
            shutil.copy(first, folder / f"{index}-{again}.mp4")
    return folder


@pytest.fixture
def folder(tmp_path: Path, films: Path) -> Path:
    found = tmp_path / "films"
    found.mkdir()
    for name in ("a", "b"):
        shutil.copy(films / "real0.mp4", found / f"{name}.mp4")
    shutil.copy(films / "real1.mp4", found / "c.mp4")
    (found / "broken.mp4").write_bytes(b"no film" * 100)
    wavfile.write(found / "c.wav", RATE_HZ, (real_take(1).sound * 32767).astype(np.int16))
    sides = {"a": ("p", 0), "b": ("q", 0), "c": ("p", 1)}
    for name, (prompt, seed) in sides.items():
        row = {"prompt_id": prompt, "seed": seed, "bbox": [0.2, 0.1, 0.8, 0.9]}
        (found / f"{name}.json").write_text(json.dumps(row))
    return found


@pytest.fixture
def score(
    judges: kit.Kit, real: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Score:
    monkeypatch.setattr(kit, "FITTED_ON", 24)

    def scored(*arguments: object) -> tuple[int, str, str]:
        options = ("--cache", judges.path.parent, "--reference", real, "--jobs", 1)
        code = cli.main(["score", *map(str, (*arguments, *options))])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return scored


def weights(folder: Path) -> Path:
    files = {"vggish": vggish_file(folder), "arcface": arcface_file(folder)}
    rows = [f"{key}: {{path: {file.name}, sha256: '{digest(file)}'}}" for key, file in files.items()]
    (folder / "weights.yaml").write_text("\n".join(rows))
    return folder / "weights.yaml"


RESULTS = ("clips.csv", "summary.json", "index.html", "index.md")


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in RESULTS}


@pytest.mark.timeout(280)
def test_a_score_that_was_interrupted_reads_only_what_is_left(
    score: Score, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores"
    command = (folder, "--weights", weights(tmp_path), "--out", out)
    _, printed, errors = score(*command)
    assert "were read before" not in printed, errors
    whole, journal = results(out), out / JOURNAL
    _, printed, _ = score(*command)
    assert "20 of 20 films, reference included, were read before and have not changed; 0 are left" in printed
    assert results(out) == whole
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 20 + 2 * 19  # and by both models those that can be read
    journal.write_bytes(b"".join(lines[:12]) + lines[12][:100])  # as a kill leaves it
    for name in RESULTS:
        (out / name).unlink()
    _, printed, _ = score(*command)
    assert "12 of 20 films" in printed
    assert results(out) == whole
    assert len(journal.read_bytes().splitlines()) == len(lines) + 1  # the half line is passed over
    (folder / "c.mp4").touch()  # another film, for all that is known
    _, printed, _ = score(*command)
    assert "19 of 20 films" in printed
    assert results(out) == whole
    assert len(journal.read_bytes().splitlines()) == len(lines)  # what is not asked for has gone


def rows_of(out: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (out / "clips.csv").open(encoding="utf-8") as file:
        return {(row["file"], row["metric"]): row for row in csv.DictReader(file)}


@pytest.mark.timeout(280)
def test_a_folder_with_own_weights(score: Score, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    code, printed, errors = score(folder, "--weights", weights(tmp_path), "--out", out)
    assert code == 1, errors
    found = json.loads((out / "summary.json").read_text())
    assert str(tmp_path) not in (out / "summary.json").read_text() + (out / "clips.csv").read_text()
    assert (found["folder"], found["clips"], found["failed"], found["characters"]) == ("films", 4, 1, 3)
    assert [file["file"] for file in found["files"]] == ["a.mp4", "b.mp4", "broken.mp4", "c.mp4"]
    assert found["files"][2]["reason"].startswith("unreadable: broken.mp4")
    assert "sound from c.wav" in found["files"][3]["notes"]
    check_default(found, rows_of(out))
    check_full(found, rows_of(out), printed)
    check_page(found, (out / "index.html").read_text())
    (folder / "broken.mp4").unlink()
    code, _, errors = score(folder, "--out", out)  # the same folder again
    assert code == 0, errors
    assert json.loads((out / "summary.json").read_text())["weights"] == []


def check_default(found: dict, rows: dict) -> None:
    metrics = found["metrics"]
    assert metrics["diversity_v"]["status"] == "ok"
    assert metrics["diversity_v"]["n"] == 2  # a and c; b is another prompt's
    assert metrics["kvd_lite"]["n"] == 3
    assert rows["broken.mp4", "sync_corr"]["status"] == "failed_generation"
    assert rows["a.mp4", "sync_corr"] == {**rows["b.mp4", "sync_corr"], "file": "a.mp4"}
    assert float(rows["a.mp4", "sync_corr"]["value"])


def check_full(found: dict, rows: dict, printed: str) -> None:
    metrics = found["metrics"]
    assert rows["a.mp4", "face_detect_rate"]["value"] == "1"
    assert rows["broken.mp4", "id_sim"]["status"] == "failed_generation"
    assert (metrics["id_sim"]["n"], metrics["id_sim"]["enough"]) == (3, False)
    assert metrics["face_detect_rate"]["strict"] == pytest.approx(0.75)
    assert metrics["fad"]["status"] == "ok"
    assert metrics["fad"]["value"] >= 0
    assert metrics["fad"]["n"] == 3
    assert ("a.mp4", "fad") not in rows
    assert "few clips" in next(line for line in printed.splitlines() if line.startswith("fad "))
    assert "arcface: w600k_r50.onnx: code MIT (InsightFace); weights non-commercial" in printed
    assert {used["adapter"] for used in found["weights"]} == {"vggish", "arcface"}
    assert "non-commercial" in found["weights"][1]["weights_licence"]


def check_page(found: dict, page: str) -> None:
    real = found["real"]
    assert real["sync_corr"]["value"] > 0.8
    assert real["kvd_lite"]["n"] * 2 == real["sync_corr"]["n"]
    assert "no face boxes were given" in real["face_detect_rate"]["reason"]
    assert real["fad"]["n"] == real["kvd_lite"]["n"]
    assert "broken.mp4" in page
    assert "failed_generation" in page
