"""Tables and figures of scored folders: a row per metric, a column per folder, real films beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from mfbench.report import names, selection, style
from mfbench.report.document import Block, Bullets, Column, Details, Figure, Figures, Table, Value
from mfbench.report.scored_load import Number, Scored

STRIPS = ("sync_corr", "av_offset_ms", "per", "id_sim_lite", "sharpness", "loudness_db")
WORST = ("sync_corr", "av_offset_abs_ms", "per", "id_sim_lite", "render_valid")
WORST_FILMS = 5
MISSING = {"not_applicable": "n/a", "failed_generation": "failed", "failed_metric": "failed"}


def measured(folders: Sequence[Scored]) -> tuple[str, ...]:
    """Metrics with a value in some folder."""
    found = [
        name for scored in folders for name, number in scored.metrics.items() if number.value is not None
    ]
    return tuple(dict.fromkeys(found))


def metric_table(folders: Sequence[Scored], metrics: Sequence[str]) -> Table:
    """One row per metric."""
    columns = (
        Column("metric", numeric=False),
        Column("unit", numeric=False),
        Column("real films"),
        *(Column(scored.label) for scored in folders),
    )
    return Table(columns, (("", tuple(_row(folders, metric) for metric in metrics)),))


def families(folders: Sequence[Scored]) -> tuple[Block, ...]:
    """One folded table per family of metrics, each with its explanations."""
    blocks = []
    for family in selection.by_family(measured(folders)):
        lines = tuple(f"`{m}`: {names.explain(m)}." for m in family.metrics if names.explain(m))
        explained: tuple[Block, ...] = (Bullets(lines),) if lines else ()
        blocks.append(Details(family.title, (metric_table(folders, family.metrics), *explained)))
    return tuple(blocks)


def _row(folders: Sequence[Scored], metric: str) -> tuple[Value, ...]:
    numbers = [scored.metrics.get(metric) for scored in folders]
    real = next((scored.real[metric] for scored in folders if metric in scored.real), None)
    known = [number for number in (*numbers, real) if number is not None and number.value is not None]
    places = names.decimals([float(number.value or 0.0) for number in known])
    example = next(number for number in numbers if number is not None)
    looks = style.looks([scored.label for scored in folders])
    best = _best(numbers, real) if len(folders) > 1 else None
    return (
        Value(f"`{metric}` {names.arrow(example.higher_is_better)}"),
        Value("" if example.unit in ("1", "none") else example.unit),
        _field(real, places, of_real=True),
        *(
            _field(
                number, places, best=number is not None and number is best, colour=looks[scored.label].colour
            )
            for scored, number in zip(folders, numbers, strict=True)
        ),
    )


def _best(numbers: Sequence[Number | None], real: Number | None) -> Number | None:
    """The best of several folders; where neither direction is better, the closest to real films."""
    given = [number for number in numbers if number is not None and number.value is not None]
    if not given:
        return None
    better = given[0].higher_is_better
    if better is not None:
        return (max if better else min)(given, key=lambda number: number.value or 0.0)
    if real is None or real.value is None:
        return None
    centre = real.value
    return min(given, key=lambda number: abs((number.value or 0.0) - centre))


def _field(
    number: Number | None, places: int, *, of_real: bool = False, best: bool = False, colour: str = ""
) -> Value:
    if number is None:
        return Value("–")
    if number.value is None:
        return Value(MISSING.get(number.status, number.status), number.reason if not of_real else "")
    notes = []
    if number.ci_low is not None and number.ci_high is not None:
        notes.append(f"[{names.number(number.ci_low, places)}, {names.number(number.ci_high, places)}]")
    if number.strict is not None and number.strict != number.value:
        notes.append(f"strict {names.number(number.strict, places)}")
    if number.coverage < 1 and not of_real:
        notes.append(f"{number.coverage:.0%} read")
    if not number.enough:
        notes.append(f"few films ({number.n})")
    return Value(names.number(number.value, places), " · ".join(notes), best=best, colour=colour)


def strips(folders: Sequence[Scored]) -> Figures | None:
    """Every film as a point, per metric and folder, with the mean of real films."""
    items = []
    for metric in names.pick(STRIPS, [name for scored in folders for name in scored.clips]):
        found = {scored.label: scored.clips.get(metric, {}) for scored in folders}
        if any(len(values) > 1 for values in found.values()):
            text = _strip(folders, metric, found)
            items.append(Figure(f"films_{metric}", text, f"{metric} of every film, by folder"))
    return Figures(tuple(items)) if items else None


def _strip(folders: Sequence[Scored], metric: str, found: Mapping[str, Mapping[str, float]]) -> str:
    looks = style.looks(list(found))
    number = next(scored.metrics[metric] for scored in folders if metric in scored.metrics)
    real = next((scored.real[metric] for scored in folders if metric in scored.real), None)
    title = f"{metric} {names.arrow(number.higher_is_better)}"
    with style.panel(title, "one point per film, a line at the median", number.unit) as (figure, axes):
        for row, (label, values) in enumerate(found.items()):
            _points(axes, row, np.array(list(values.values())), looks[label])
        if real is not None and real.value is not None:
            axes.axvline(real.value, color=style.REAL, linestyle="--", linewidth=1.2)
        axes.set_yticks([])
        axes.set_ylim(len(found) - 0.4, -0.6)
        return style.svg(figure)


def _points(
    axes: Axes, row: int, values: np.ndarray[tuple[int], np.dtype[np.float64]], look: style.Look
) -> None:
    """Spread by a fixed low-discrepancy sequence, so that equal values stay visible."""
    apart = (np.arange(len(values)) * 0.618034) % 1.0 - 0.5
    axes.plot(values, row + 0.6 * apart, look.marker, color=look.colour, markersize=4, alpha=0.5, linewidth=0)
    if len(values):
        axes.vlines(float(np.median(values)), row - 0.4, row + 0.4, color=look.colour, linewidth=2.2)


def worst_films(scored: Scored) -> Table | None:
    """The films to look at first, per metric."""
    columns = (Column("metric", numeric=False), Column("worst films, worst first", numeric=False))
    rows = []
    for metric in WORST:
        values, number = scored.clips.get(metric, {}), scored.metrics.get(metric)
        if len(values) <= WORST_FILMS or number is None:
            continue
        sign = -1 if number.higher_is_better is False else 1
        ranked = sorted(values.items(), key=lambda item: (sign * item[1], item[0]))[:WORST_FILMS]
        places = names.decimals([value for _, value in ranked])
        text = "; ".join(f"{file} ({names.number(value, places)})" for file, value in ranked)
        rows.append((Value(f"`{metric}` {names.arrow(number.higher_is_better)}"), Value(text)))
    return Table(columns, (("", tuple(rows)),)) if rows else None
