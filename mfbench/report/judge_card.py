"""The section on the judges: what they were examined for, and how they did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mfbench.report.document import Block, Column, Details, Note, Section, Table, Text, Value

FILE = "judge.json"
KEYS = ("check", "value", "required", "bound", "pass")
COMMAND = "`python -m mfbench judge-check --out reports/judge`"


def card_path(folders: Sequence[Path]) -> Path | None:
    """The first `judge.json` in one of these folders, or in a folder `judge` that all beside it share."""
    roots = [folder.parent if folder.resolve().name == "records" else folder for folder in folders]
    places = (place for root in roots for place in (root / FILE, root.parent / "judge" / FILE))
    return next((path for path in places if path.is_file()), None)


def judge_card(folders: Sequence[Path]) -> Section:
    """Every check with its required value; a note where none was made.

    Args:
        folders: of runs or records, and of the report: its own examination counts before a shared one.
    """
    path = card_path(folders)
    if path is None:
        note = Note(f"The judges were not examined beside this report; {COMMAND} does it.", warning=True)
        return Section("judge", "The judges, judged", (note,))
    try:
        rows = [{key: row[key] for key in KEYS} for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        note = Note(f"The card of the judges is damaged ({error}); {COMMAND} makes it anew.", warning=True)
        return Section("judge", "The judges, judged", (note,))
    asked = [row for row in rows if row["required"] is not None]
    failed = [row for row in asked if not row["pass"]]
    blocks: list[Block] = [
        Text(
            "Before a judge's number is believed, the judge is examined on held-out real clips: does it find "
            "injected offsets, tell pairs from strangers, fall with the dose, ignore what is no matter of "
            "sync, know who speaks and what is said, and order six controls rightly? "
            f"**{len(asked) - len(failed)} of {len(asked)} checks passed** ({COMMAND}). Examined are the "
            "judges of `score`; a run fits the same kind on its own training clips."
        )
    ]
    if failed:
        blocks.append(_table(failed))
    blocks.append(Details("All checks", (_table(rows),)))
    return Section("judge", "The judges, judged", tuple(blocks))


def _table(rows: Sequence[dict[str, object]]) -> Table:
    columns = (Column("check", numeric=False), Column("value"), Column("required"), Column("", numeric=False))
    fields = tuple(
        (Value(str(row["check"])), Value(_number(row["value"])), Value(_required(row)), Value(_mark(row)))
        for row in rows
    )
    return Table(columns, (("", fields),))


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "–"


def _required(row: dict[str, object]) -> str:
    return "" if row["required"] is None else f"{row['bound']} {_number(row['required'])}"


def _mark(row: dict[str, object]) -> str:
    return "" if row["required"] is None else "pass" if row["pass"] else "FAIL"
