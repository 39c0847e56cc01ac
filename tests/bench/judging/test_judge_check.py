"""The whole examination on judges fitted as `score` fits them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfbench.bench.judging import judge_check
from mfbench.bench.judging.check import Check, above, at_least, at_most, info
from mfbench.bench.judging.kit import load_or_fit


def test_judge_json_has_a_row_for_every_check() -> None:
    checks = [
        at_least("recovered", 0.98765432, 0.95),
        at_most("error in ms", 12.0, 10.0),
        above("better", float("inf"), 0.0),
        above("no value", float("nan"), 0.0),
        info("spread", 0.25),
    ]
    rows = json.loads(judge_check.card(checks))
    assert [list(row) for row in rows] == [["check", "value", "required", "bound", "pass"]] * 5
    assert [row["value"] for row in rows] == [0.987654, 12.0, None, None, 0.25]
    assert [row["required"] for row in rows] == [0.95, 10.0, 0.0, 0.0, None]
    assert [row["bound"] for row in rows] == ["at least", "at most", "above", "above", "info"]
    assert [row["pass"] for row in rows] == [True, False, True, False, True]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_required_check_passes(tmp_path: Path) -> None:
    kit = load_or_fit(tmp_path)
    stamp = kit.path.stat().st_mtime_ns
    again = load_or_fit(tmp_path)
    assert (again.digest, again.path.stat().st_mtime_ns) == (kit.digest, stamp)
    found: dict[str, list[Check]] = {title: list(run()) for title, run in judge_check.sections(kit)}
    assert len(found) == 10
    assert all(found.values())
    required = [check for checks in found.values() for check in checks if check.required is not None]
    assert len(required) > 100
    assert [check for check in required if not check.passed] == []
