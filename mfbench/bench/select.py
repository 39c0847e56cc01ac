"""Which cells a command is about, which of them are done, and which stages that leaves to run."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from mfbench.bench.collect import Collector
from mfbench.bench.plan import Cell, Plan
from mfbench.bench.stage import KINDS
from mfbench.errors import UsageError


@dataclass(frozen=True)
class Choice:
    """What the user asked for.

    Attributes:
        only: glob patterns on `method`, `method@steps` or the cell's name, joined by commas.
        stages: kinds to make (with what they need); empty means all.
        limit: at most this many cells, anchors not counted; 0 means all.
        records: folders with records that count as done.
    """

    only: str = ""
    stages: tuple[str, ...] = ()
    limit: int = 0
    records: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The chosen cells, those among them that are done, and the stages to run in the order of the plan."""

    cells: tuple[Cell, ...]
    done: frozenset[str]
    todo: list[str]


def select(plan: Plan, collector: Collector, choice: Choice) -> Selection:
    """Choose cells and find what is missing for them."""
    cells = _chosen(plan, choice)
    done = {cell.name for cell in cells if collector.existing(cell)}
    left = [cell for cell in cells if cell.name not in done]
    targets = [id_ for cell in left for id_ in _targets(plan, cell, choice.stages)]
    todo = plan.needed(targets, collector.store.finished)
    return Selection(tuple(cells), frozenset(done), todo)


def _chosen(plan: Plan, choice: Choice) -> list[Cell]:
    for kind in choice.stages:
        if kind not in KINDS:
            raise UsageError(f"--stages {kind}: kinds are {', '.join(KINDS)}")
    cells = list(plan.cells)
    if choice.only:
        patterns = choice.only.split(",")
        cells = [cell for cell in cells if any(_matches(cell, pattern) for pattern in patterns)]
        if not cells:
            names = sorted({cell.method for cell in plan.cells})
            raise UsageError(f"--only {choice.only} matches no cell; methods are {', '.join(names)}")
    if choice.limit:
        swept = [cell for cell in cells if cell.steps is not None][: choice.limit]
        cells = [cell for cell in cells if cell.steps is None or cell in swept]
    return cells


def _matches(cell: Cell, pattern: str) -> bool:
    names = (cell.name, cell.method, f"{cell.method}@{cell.steps}")
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def _targets(plan: Plan, cell: Cell, kinds: tuple[str, ...]) -> list[str]:
    """The cell's own stages, or those of the wanted kinds among them and behind them."""
    if not kinds:
        return list(cell.stages.values())
    behind = plan.needed(list(cell.stages.values()), lambda _: False)
    return [id_ for id_ in behind if plan.stages[id_].kind in kinds]
