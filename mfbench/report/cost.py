"""The section on training cost: totals with every ancestor counted, what they consist of, loss curves."""

from __future__ import annotations

from collections.abc import Callable

from mfbench.report import figures, names, style
from mfbench.report.document import (
    Block,
    Column,
    Details,
    Figure,
    Figures,
    Section,
    Table,
    Text,
    Value,
)
from mfbench.report.estimates import Estimates
from mfbench.report.load import Cell, Study
from mfbench.report.results import drawn

CRITICS = ("fake_fm", "critic")  # flow matching of a fake score on fresh samples, or a discriminator's loss
LEAD = (
    "Everything that was trained on the way to a method counts: pretraining, teachers and their data, "
    "critics. Sums over all trainings behind it; memory and networks held are the largest of any of them."
)


def cost(study: Study, estimates: Estimates) -> Section:
    """Training cost, ancestors included, and the loss curves."""
    bars = drawn(
        [name for name in estimates.metrics("cost") if not name.startswith("nfe")],
        lambda metric: figures.bars_figure(study, estimates, metric),
        lambda metric: f"{metric} by method",
        "cost",
        "training cost",
    )
    blocks: list[Block] = [Text(LEAD)]
    blocks += [Figures(b.items, legend=False) if isinstance(b, Figures) else b for b in bars]
    table = _by_training(study)
    if table.groups:
        blocks.append(Details("What the cost of each method consists of", (table,)))
    losses = curves(study, lambda name: not is_probe(name))
    if losses:
        blocks.append(Details("Training curves", (Figures(losses),)))
    return Section("cost", "Training cost", tuple(blocks))


def is_probe(curve: str) -> bool:
    """Whether a curve is a health probe, not a loss."""
    return curve.startswith("probe_") or curve in ("gradient_share_audio", *CRITICS)


def first_with(study: Study, method: str, extra: str) -> Cell | None:
    """A training's facts stand in one of its cells."""
    return next((cell for cell in study.cells if cell.method == method and cell.extra.get(extra)), None)


def _by_training(study: Study) -> Table:
    """One row per training behind each method, oldest first."""
    looks = style.looks(study.methods)
    found = {m: cell.extra["costs"] for m in study.methods if (cell := first_with(study, m, "costs"))}
    rows = [row for listed in found.values() for row in listed]
    kinds = tuple(dict.fromkeys(key for row in rows for key in row if key not in ("stage", "method")))
    groups = tuple(
        (
            method,
            tuple(
                (
                    Value(str(row["stage"]), colour=looks[method].colour),
                    *(Value(_number(row.get(kind))) for kind in kinds),
                )
                for row in listed
            ),
        )
        for method, listed in found.items()
    )
    return Table((Column("training", numeric=False), *(Column(kind) for kind in kinds)), groups)


def _number(value: object) -> str:
    return names.compact(float(value)) if isinstance(value, int | float) else "–"


def curves(study: Study, wanted: Callable[[str], bool]) -> tuple[Figure, ...]:
    """One figure per wanted curve, with a line for each method that logs it."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for method in study.methods:
        cell = first_with(study, method, "curves")
        for name, points in cell.extra["curves"].items() if cell else ():
            if wanted(name):
                found.setdefault(name, {})[method] = [
                    (float(x), float(y)) for x, y in points if y is not None
                ]
    return tuple(
        Figure(
            f"curve_{name.replace('/', '_')}",
            figures.curves_figure(name, found[name], study.methods),
            f"{name} over optimiser steps",
        )
        for name in sorted(found)
    )
