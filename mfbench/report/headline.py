"""Tables of metrics by method and steps, with intervals, the real and null rows, and the best marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mfbench.report import names, style
from mfbench.report.compare import Comparison
from mfbench.report.document import Column, Table, Value
from mfbench.report.estimates import Estimate, Estimates
from mfbench.report.load import ANCHORS, Study
from mfbench.report.statistics import Interval

MISSING = {"not_applicable": "n/a", "failed_generation": "failed", "failed_metric": "failed"}
ANCHOR_NAMES = {"real": "real clips", "null": "null (mismatched pairs)"}


@dataclass(frozen=True)
class MetricColumn:
    """How one metric is printed: fixed decimals, its best value per step count and overall."""

    metric: str
    places: int
    best: dict[int | None, float]
    top: float | None


def metric_table(study: Study, estimates: Estimates, metrics: Sequence[str]) -> Table:
    """One group of rows per step count, the anchors above."""
    columns = [_metric_column(study, estimates, metric) for metric in metrics]
    anchors = [anchor for anchor in ANCHORS if (anchor, None) in study.groups()]
    rows = [_row(study, estimates, anchor, None, columns) for anchor in anchors]
    groups = [("anchors", tuple(rows))] if rows else []
    for steps in study.steps:
        methods = [method for method, at in study.groups() if at == steps]
        rows = [_row(study, estimates, method, steps, columns) for method in methods]
        groups.append((f"{steps} step{'s' if steps > 1 else ''}", tuple(rows)))
    return Table((Column("method", "", "", numeric=False), *_heads(estimates, metrics)), tuple(groups))


def _heads(estimates: Estimates, metrics: Sequence[str]) -> list[Column]:
    heads = []
    for metric in metrics:
        example = estimates.example(metric)
        hib, unit = (example.higher_is_better, example.unit) if example else (None, "")
        hint = "; ".join(part for part in (names.explain(metric), names.direction(hib)) if part)
        heads.append(Column(f"{metric} {names.arrow(hib)}", _unit(unit), hint))
    return heads


def _unit(unit: str) -> str:
    return "" if unit in ("1", "none") else unit


def _metric_column(study: Study, estimates: Estimates, metric: str) -> MetricColumn:
    found = [e for m, s in study.groups() if m not in ANCHORS and (e := estimates.get(m, s, metric))]
    real = estimates.get("real", None, metric)
    values = [float(e.value or 0.0) for e in [*found, *([real] if real else [])]]
    null = estimates.get("null", None, metric)
    if null and all(value.is_integer() for value in values):  # else a null row of 0.55 would be shown as 1
        values.append(float(null.value or 0.0))
    best: dict[int | None, float] = {}
    for steps in study.steps:
        chosen = _best([e for e in found if e.steps == steps], real)
        if chosen is not None:
            best[steps] = chosen
    return MetricColumn(metric, names.decimals(values), best, _best(found, real))


def _best(found: Sequence[Estimate], real: Estimate | None) -> float | None:
    """The largest or the smallest value; where neither is better, the one closest to real clips."""
    if not found:
        return None
    values = [float(e.value or 0.0) for e in found]
    if found[0].higher_is_better is not None:
        return max(values) if found[0].higher_is_better else min(values)
    if real is None:
        return None
    centre = float(real.value or 0.0)
    return min(values, key=lambda value: abs(value - centre))


def _row(
    study: Study, estimates: Estimates, method: str, steps: int | None, columns: Sequence[MetricColumn]
) -> tuple[Value, ...]:
    look = style.looks(study.methods).get(method)
    mark = " †" if f"{method}@{steps}" in study.settings.get("off_design", []) else ""
    label = Value(ANCHOR_NAMES.get(method, method) + mark, colour=look.colour if look else "")
    return (label, *(_field(estimates, method, steps, column) for column in columns))


def _field(estimates: Estimates, method: str, steps: int | None, column: MetricColumn) -> Value:
    item = estimates.by_key.get((method, steps, column.metric))
    if item is None or item.value is None:
        return Value("–" if item is None else MISSING.get(item.status, item.status))
    text = names.number(item.value, column.places)
    ranked = method not in ANCHORS
    note = _interval(item.interval, column.places)
    if item.coverage is not None and item.coverage < 0.995:
        note += f" · {item.coverage:.0%} read"
    return Value(
        text,
        note,
        best=ranked and text == _printed(column.best.get(steps), column.places),
        top=ranked and text == _printed(column.top, column.places),
    )


def _printed(value: float | None, places: int) -> str | None:
    """A best value as it is printed: rows that print the same are marked alike."""
    return None if value is None else names.number(value, places)


def _interval(interval: Interval | None, places: int) -> str:
    if interval is None:
        return ""
    return f"[{names.number(interval.low, places)}, {names.number(interval.high, places)}]"


def comparison_table(study: Study, comparisons: Sequence[Comparison], metrics: Sequence[str]) -> Table:
    """Paired differences against one baseline: a column per metric, difference, interval and verdict."""
    looks = style.looks(study.methods)
    keyed = {(c.difference.method, c.difference.steps, c.difference.metric): c for c in comparisons}
    places = {
        metric: names.decimals([c.difference.value for c in comparisons if c.difference.metric == metric])
        for metric in metrics
    }
    groups = []
    for steps in study.steps:
        rows = []
        for method in study.methods:
            found = [keyed.get((method, steps, metric)) for metric in metrics]
            if any(found):
                label = Value(method, colour=looks[method].colour)
                fields = [_difference(c, places[m]) for c, m in zip(found, metrics, strict=True)]
                rows.append((label, *fields))
        if rows:
            groups.append((f"{steps} step{'s' if steps > 1 else ''}", tuple(rows)))
    directions = {c.difference.metric: c.difference.higher_is_better for c in comparisons}
    heads = [Column(f"{m} {names.arrow(directions.get(m))}", "difference", names.explain(m)) for m in metrics]
    return Table((Column("method", "", "", numeric=False), *heads), tuple(groups))


def _difference(comparison: Comparison | None, places: int) -> Value:
    if comparison is None:
        return Value("–")
    item = comparison.difference
    sign = "+" if item.value > 0 else ""
    low_high = _interval(item.interval, places)
    word = {"yes": "better", "no": "worse", "unclear": "unclear"}[comparison.better]
    note = f"{low_high} · p {names.p_value(comparison.p_holm)}"
    return Value(
        f"{sign}{names.number(item.value, places)} {word}", note, best=word != "unclear", top=word == "better"
    )
