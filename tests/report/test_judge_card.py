from __future__ import annotations

import json
from pathlib import Path

from mfbench.report import inputs
from mfbench.report.document import Details, Note, Section, Table, Text
from mfbench.report.judge_card import judge_card

ROWS = [
    {"check": "offset", "value": 1.5, "required": 10.0, "bound": "at most", "pass": True},
    {"check": "AUC", "value": 0.9, "required": 0.98, "bound": "at least", "pass": False},
    {"check": "clips", "value": 11.0, "required": None, "bound": "info", "pass": True},
]


def card(run: Path) -> Section:
    (run / "records").mkdir(parents=True, exist_ok=True)
    return judge_card([run / "records"])


def test_judges_that_were_not_examined_are_a_warning(tmp_path: Path) -> None:
    (note,) = card(tmp_path / "run").blocks
    assert isinstance(note, Note)
    assert note.warning
    assert "judge-check" in note.text


def test_the_card_counts_and_shows_what_failed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "judge.json").write_text(json.dumps(ROWS))
    text, failed, folded = card(run).blocks
    assert isinstance(text, Text)
    assert "1 of 2 checks passed" in text.text
    assert isinstance(failed, Table)
    assert [value.text for value in failed.groups[0][1][0]] == ["AUC", "0.9", "at least 0.98", "FAIL"]
    assert isinstance(folded, Details)
    (everything,) = folded.blocks
    assert isinstance(everything, Table)
    assert len(everything.groups[0][1]) == 3


def test_runs_side_by_side_share_a_card_and_a_new_one_makes_a_report_stale(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "records").mkdir(parents=True)
    before = inputs.key([run], tmp_path / "page")
    (tmp_path / "judge").mkdir()
    (tmp_path / "judge" / "judge.json").write_text(json.dumps(ROWS))
    assert isinstance(card(run).blocks[0], Text)
    assert inputs.key([run], tmp_path / "page") != before


def test_a_report_has_the_card_that_lies_beside_it(tmp_path: Path) -> None:
    """Runs and reports have folders of their own, and `judge-check` writes beside the reports."""
    run, out = tmp_path / "runs" / "study", tmp_path / "reports" / "study"
    (run / "records").mkdir(parents=True)
    before = inputs.key([run], out)
    (tmp_path / "reports" / "judge").mkdir(parents=True)
    (tmp_path / "reports" / "judge" / "judge.json").write_text(json.dumps(ROWS))
    assert isinstance(judge_card([run]).blocks[0], Note)
    assert isinstance(judge_card([run, out]).blocks[0], Text)
    assert inputs.key([run], out) != before
