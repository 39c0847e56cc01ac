"""The page of scored folders, from results written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mfbench import cli
from mfbench.errors import UsageError
from mfbench.report import build_scored, is_scored
from mfbench.report.scored_load import load_scored
from mfbench.report.scored_tables import metric_table, strips, worst_films


def _number(value: float | None, better: bool | None, **more: object) -> dict[str, Any]:
    entry = {
        "value": value,
        "ci_low": None if value is None else value - 0.1,
        "ci_high": None if value is None else value + 0.1,
        "unit": "r",
        "higher_is_better": better,
        "n": 8,
        "coverage": 1.0,
        "status": "not_applicable" if value is None else "ok",
        "strict": value,
        "enough": True,
        "protocol": "0123",
        "reason": "no words were given" if value is None else "",
    }
    return {**entry, **more}


def _folder(place: Path, name: str, sync: float, **more: object) -> Path:
    """Results of 8 films: f0 is the best in sync, one more could not be read."""
    place.mkdir(parents=True)
    files = [
        {"file": f"f{i}.mp4", "id": f"f{i}", "status": "ok", "reason": "", "notes": []} for i in range(8)
    ]
    files[3]["notes"] = ["sound from f3.wav"]
    files.append({"file": "bad.mp4", "id": "bad", "status": "failed_generation", "reason": "unreadable: x"})
    content = {
        "schema": 1,
        "folder": name,
        "judges": "j",
        "reference": "talking character",
        "weights": [],
        "clips": 9,
        "failed": 1,
        "characters": 8,
        "media_seconds": 40.96,
        "metrics": {
            "sync_corr": _number(sync, True, strict=sync - 0.2, coverage=8 / 9),
            "sharpness": _number(sync + 1, None),
            "per": _number(None, False),
            "kavd_lite": _number(1 - sync, False, enough=False),
        },
        "real": {
            "sync_corr": _number(0.9, True),
            "sharpness": _number(1.5, None),
            "kavd_lite": _number(0.0, False),
        },
        "files": [
            {"notes": [], "seconds": 5.12, "failed_metrics": [], "facts": {}, **file} for file in files
        ],
        **more,
    }
    (place / "summary.json").write_text(json.dumps(content))
    rows = [f"f{i}.mp4,sync_corr,{0.9 - i / 10},r,ok" for i in range(8)]
    rows.append("bad.mp4,sync_corr,,r,failed_generation")
    (place / "clips.csv").write_text("\n".join(["file,metric,value,unit,status", *rows]) + "\n")
    return place


def test_one_folder_has_a_row_per_metric_with_real_films_beside_it(tmp_path: Path) -> None:
    (scored,) = load_scored([_folder(tmp_path / "a", "films", 0.7)])
    table = metric_table([scored], ["sync_corr", "kavd_lite", "per"])
    assert [column.name for column in table.columns] == ["metric", "unit", "real films", "films"]
    sync, distance, words = table.groups[0][1]
    assert [value.text for value in sync] == ["`sync_corr` ↑", "r", "0.900", "0.700"]
    assert sync[3].note == "[0.600, 0.800] · strict 0.500 · 89% read"
    assert "few films (8)" in distance[3].note
    assert (words[2].text, words[3].text, words[3].note) == ("–", "n/a", "no words were given")
    assert not any(value.best for row in table.groups[0][1] for value in row)  # nothing to be better than


def test_the_best_of_two_folders_is_marked_and_near_real_counts_as_best(tmp_path: Path) -> None:
    both = load_scored([_folder(tmp_path / "a", "one", 0.7), _folder(tmp_path / "b", "two", 0.35)])
    table = metric_table(both, ["sync_corr", "sharpness", "kavd_lite"])
    marked = [[value.best for value in row[3:]] for row in table.groups[0][1]]
    # real sharpness is 1.5, theirs 1.7 and 1.35
    assert marked == [[True, False], [False, True], [True, False]]
    assert [scored.label for scored in both] == ["one", "two"]


def test_worst_films_come_first_and_points_are_drawn(tmp_path: Path) -> None:
    (scored,) = load_scored([_folder(tmp_path / "a", "films", 0.7)])
    table = worst_films(scored)
    assert table is not None
    assert table.groups[0][1][0][1].text.startswith("f7.mp4 (0.200); f6.mp4 (0.300); f5.mp4")
    figures = strips([scored])
    assert figures is not None
    assert [figure.name for figure in figures.items] == ["films_sync_corr"]


def test_the_page_says_what_failed_and_is_the_same_again(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", "films", 0.7)
    page = build_scored([folder], folder).read_text()
    assert "bad.mp4" in page
    assert "unreadable: x" in page
    assert "sound from f3.wav (1 films)" in page
    assert "1 of 9 films failed" in page
    assert (folder / "index.md").is_file()
    assert (folder / "figures" / "films_sync_corr.svg").is_file()
    assert build_scored([folder], folder).read_text() == page


def test_folders_that_cannot_be_compared_are_warned_of(tmp_path: Path) -> None:
    one = _folder(tmp_path / "a", "one", 0.7)
    judged = _folder(tmp_path / "b", "two", 0.7, judges="other")
    anchored = _folder(tmp_path / "c", "three", 0.7, real={"sync_corr": _number(0.5, True)})
    assert "different judges" in build_scored([one, judged], tmp_path / "x").read_text()
    assert "different reference films" in build_scored([one, anchored], tmp_path / "y").read_text()
    assert "cannot be compared" not in build_scored([one], tmp_path / "z").read_text()


def test_folders_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    one, other = _folder(tmp_path / "a", "films", 0.7), _folder(tmp_path / "b", "films", 0.6)
    assert [scored.label for scored in load_scored([one, other])] == ["films (a)", "films (b)"]
    with pytest.raises(UsageError, match="two of the results are called"):
        load_scored([one, one])


def test_results_that_are_none_or_of_another_version(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", "films", 0.7)
    assert is_scored(folder)
    assert not is_scored(tmp_path)
    (folder / "summary.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        load_scored([folder])
    (folder / "summary.json").write_text('{"schema": 1, "folder": "films"}')
    with pytest.raises(UsageError, match="of another version; score the folder again"):
        load_scored([folder])


def test_the_command_takes_one_kind_of_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path / "a", "films", 0.7)
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "page")]) == 0
    assert (tmp_path / "page" / "index.html").is_file()
    assert cli.main(["report", str(folder), str(tmp_path)]) == 2
    assert "no results of `score`, unlike the others" in capsys.readouterr().err
