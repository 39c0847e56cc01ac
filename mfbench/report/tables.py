"""The two tables that leave the house: tidy `cells.csv` and paired `comparisons.csv`."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mfbench.report.compare import Comparison
from mfbench.report.estimates import Estimate, Estimates, of_cell
from mfbench.report.load import Study

CELL_COLUMNS = (
    "experiment",
    "cell",
    "method",
    "steps",
    "train_seed",
    "sample_seed",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "unit",
    "kind",
    "higher_is_better",
    "status",
)
COMPARISON_COLUMNS = (
    "experiment",
    "method",
    "steps",
    "baseline",
    "baseline_steps",
    "metric",
    "difference",
    "ci_low",
    "ci_high",
    "p_holm",
    "better",
)
POOLED = "all"


def cells_table(study: Study, estimates: Estimates) -> pd.DataFrame:
    """One row per cell and metric, then one pooled row per (method, steps) and metric with seed `all`."""
    rows: list[tuple[object, ...]] = []
    for cell in study.cells:
        where = (cell.experiment, cell.name, cell.method, cell.steps, cell.train_seed, cell.sample_seed)
        for name in sorted(cell.metrics):
            rows.append((*where, name, *_numbers(of_cell(cell, cell.metrics[name]))))
        if not cell.metrics:
            rows.append((*where, "", None, None, None, None, "", "", None, cell.status))
    for method, steps in study.groups():
        name = method if steps is None else f"{method}@{steps}"
        pooled = (study.name, f"{name}-all", method, steps, POOLED, POOLED)
        for key in sorted(k for k in estimates.by_key if k[:2] == (method, steps)):
            rows.append((*pooled, key[2], *_numbers(estimates.by_key[key])))
    return _frame(rows, CELL_COLUMNS)


def _numbers(item: Estimate) -> tuple[object, ...]:
    low, high = (item.interval.low, item.interval.high) if item.interval else (None, None)
    return item.value, low, high, item.n, item.unit, item.kind, item.higher_is_better, item.status


def comparisons_table(study: Study, comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row per paired difference."""
    rows: list[tuple[object, ...]] = []
    for entry in comparisons:
        item = entry.difference
        low, high = (item.interval.low, item.interval.high) if item.interval else (None, None)
        pair = (item.method, item.steps, item.baseline, item.baseline_steps)
        rows.append((study.name, *pair, item.metric, item.value, low, high, entry.p_holm, entry.better))
    return _frame(rows, COMPARISON_COLUMNS)


def _frame(rows: list[tuple[object, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Object columns keep whole numbers whole beside empty fields."""
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def csv_text(frame: pd.DataFrame) -> str:
    """A table with 8 significant digits, so that rebuilding on another machine gives the same text."""
    return str(frame.map(_text).to_csv(index=False, lineterminator="\n"))


def _text(value: object) -> str:
    """Everything as text: pandas would turn whole numbers beside empty fields into fractions."""
    if value is None:
        return ""
    return f"{value:.8g}" if isinstance(value, float) else str(value)
