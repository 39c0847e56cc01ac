"""Margins of the claims, measured on the tables of a pilot before the run that is judged by them.

A tenth of |null - real| for sync and intelligibility; a tenth of the effect of steps, |teacher
forcing at 1 step - at 50 steps|, for set metrics.
"""

from __future__ import annotations

import csv
from pathlib import Path

from mfbench.errors import UsageError

SHARE = 0.1
PER_CLIP = ("sync_corr", "per")  # margin: share of |null - real|
SET = ("kavd_lite", "kvd_lite", "kad_lite", "favd_lite")  # margin: share of |one step - fifty steps|
PLACEBO, REFERENCE = ("TeacherForcing", "1"), ("TeacherForcing", "50")


def margins(folder: Path) -> dict[str, float]:
    """Margin per metric from `cells.csv` of a report.

    Raises:
        UsageError: where the pilot lacks the table or one of the rows that a margin is made of.
    """
    path = folder / "cells.csv"
    if not path.is_file():
        raise UsageError(f"report.pilot: {folder.name} has no cells.csv; run the pilot experiment first")
    with path.open(encoding="utf-8", newline="") as lines:
        pooled = [row for row in csv.DictReader(lines) if row["train_seed"] == "all" and row["value"]]
    values = {(row["method"], row["steps"], row["metric"]): float(row["value"]) for row in pooled}

    def effect(metric: str, low: tuple[str, str], high: tuple[str, str]) -> float:
        missing = [at for at in (low, high) if (*at, metric) not in values]
        if missing:
            method, steps = missing[0]
            where = f"{method}@{steps}" if steps else method
            raise UsageError(f"report.pilot: {folder.name} has no {metric} of {where}; margins need it")
        return SHARE * abs(values[(*low, metric)] - values[(*high, metric)])

    made = {metric: effect(metric, ("null", ""), ("real", "")) for metric in PER_CLIP}
    return made | {metric: effect(metric, PLACEBO, REFERENCE) for metric in SET}
