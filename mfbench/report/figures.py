"""One function per kind of figure; each returns SVG text, or None where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mfbench.report import names, style
from mfbench.report.estimates import Estimate, Estimates
from mfbench.report.load import Study
from mfbench.report.statistics import Floats, pareto_front
from mfbench.report.style import Look

WIDE_RANGE = 10.0  # ratio of values beyond which a linear axis hides the good end


def steps_figure(study: Study, estimates: Estimates, metric: str) -> str | None:
    """A metric against steps: one line per method with intervals, the real line, the null line if near."""
    example = estimates.example(metric)
    looks = style.looks(study.methods)
    if example is None or not any(estimates.get(m, s, metric) for m in looks for s in study.steps):
        return None
    with style.panel(_title(example), "steps per chunk", example.unit) as (figure, axes):
        shown: list[float] = []
        for index, (method, look) in enumerate(looks.items()):
            points = [e for s in study.steps if (e := estimates.get(method, s, metric)) is not None]
            shown += _line(axes, points, look, 1 + 0.02 * (index - len(looks) / 2))
        _steps_axis(axes, study.steps)
        real = estimates.get("real", None, metric)
        shown += [] if real is None else [float(real.value or 0.0)]
        _vertical_scale(axes, shown, example)
        if real is not None:
            _anchor_line(axes, real, "real", style.REAL, "--")
        null = estimates.get("null", None, metric)
        if null is not None and null.value is not None:
            _null_line(axes, null, shown)
        return style.svg(figure)


def _title(example: Estimate) -> str:
    return f"{example.metric} {names.arrow(example.higher_is_better)}"


def _line(axes: Axes, points: Sequence[Estimate], look: Look, shift: float) -> list[float]:
    """Draw one method and return its values, for the scale; `shift` keeps error bars apart."""
    x = [(p.steps or 1) * shift for p in points]
    y = [p.value if p.value is not None else np.nan for p in points]
    low = [p.interval.low if p.interval else v for p, v in zip(points, y, strict=True)]
    high = [p.interval.high if p.interval else v for p, v in zip(points, y, strict=True)]
    axes.vlines(x, low, high, color=look.colour, linewidth=1.3, alpha=0.7)
    drawn = axes.plot(x, y, marker=look.marker, color=look.colour, linewidth=1.6)
    drawn[0].set(markersize=5.5, markeredgecolor="white", markeredgewidth=0.6)
    return [float(v) for v in y]


def _steps_axis(axes: Axes, steps: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([float(s) for s in steps]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(min(steps) / 1.25, max(steps) * 1.25)


def _anchor_line(axes: Axes, anchor: Estimate, name: str, colour: str, dashes: str) -> None:
    """A line with its name at the left end, below it where there is no room above."""
    if anchor.value is None:
        return
    if anchor.interval is not None:
        axes.axhspan(anchor.interval.low, anchor.interval.high, color=colour, alpha=0.08, linewidth=0)
    axes.axhline(anchor.value, color=colour, linestyle=dashes, linewidth=1.2)
    height = axes.transAxes.inverted().transform(axes.transData.transform((1.0, anchor.value)))[1]
    axes.annotate(
        name,
        (0, anchor.value),
        xycoords=("axes fraction", "data"),
        xytext=(3, 3 if height < 0.93 else -10),
        textcoords="offset points",
        fontsize=8.5,
        color=colour,
    )


def _null_line(axes: Axes, null: Estimate, shown: Sequence[float]) -> None:
    """Mismatched pairs, drawn only where the line does not squeeze everything else."""
    value = float(null.value or 0.0)
    span = max(shown) - min(shown)
    if span == 0 or min(shown) - 0.6 * span <= value <= max(shown) + 0.6 * span:
        _anchor_line(axes, null, "null", style.NULL, ":")
    else:
        axes.set_xlabel(f"{axes.get_xlabel()}   (null {names.compact(value)}, off scale)")


def _vertical_scale(axes: Axes, shown: Sequence[float], example: Estimate | None = None) -> None:
    """Logarithmic where a metric that ends at 0 spans more than `WIDE_RANGE`.

    An unbiased estimate may fall a little below 0: then linear there. Everything else stays linear.
    """
    high, low = max(shown, default=0.0), min(shown, default=0.0)
    downward = example is None or example.higher_is_better is False
    if not downward or (high <= WIDE_RANGE * abs(low) and low > 0) or low < -high / WIDE_RANGE:
        return
    if low > 0:
        axes.set_yscale("log")
    elif high > WIDE_RANGE * float(np.median(np.abs(shown))):
        axes.set_yscale("symlog", linthresh=float(np.quantile(np.abs(shown), 0.3)), linscale=0.6)
    else:
        return
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: names.compact(value)))
    axes.yaxis.set_minor_formatter(FuncFormatter(_minor_label))


def pareto_figure(study: Study, estimates: Estimates, x_metric: str, y_metric: str) -> str | None:
    """Quality against latency: every (method, steps), numbered by steps, and the front through the best."""
    looks = style.looks(study.methods)
    points = [
        (x, y)
        for method, steps in study.groups()
        if (x := estimates.get(method, steps, x_metric)) and (y := estimates.get(method, steps, y_metric))
        if method in looks
    ]
    if len(points) < 2:
        return None
    first = points[0]
    x_label = f"{x_metric} [{first[0].unit}]"
    with style.panel(_title(first[1]), x_label, first[1].unit, size_in=style.LARGE_IN) as (figure, axes):
        labelled: list[tuple[Estimate, Estimate]] = []
        for x, y in points:
            _pareto_point(axes, x, y, looks[x.method])
            if not any(_close(pair, (x, y)) for pair in labelled):
                _pareto_label(axes, x, y)
                labelled.append((x, y))
        _front_line(axes, points)
        real = estimates.get("real", None, y_metric)
        shown = [float(y.value or 0) for _, y in points]
        shown += [] if real is None else [float(real.value or 0.0)]
        _latency_axis(axes, [float(x.value or 0.0) for x, _ in points])
        _vertical_scale(axes, shown, first[1])
        if real is not None:
            _anchor_line(axes, real, "real", style.REAL, "--")
        return style.svg(figure)


def _latency_axis(axes: Axes, values: Sequence[float]) -> None:
    """Logarithmic, unless all values lie within a factor that would leave it without labels."""
    if min(values) <= 0 or max(values) < 4 * min(values):
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.compact(value)))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor_label))


def _minor_label(value: float, _: int | None) -> str:
    """Label 2 and 5 between decades."""
    leading = abs(value) / 10 ** np.floor(np.log10(abs(value))) if value else 0.0
    return names.compact(value) if round(float(leading), 6) in (2.0, 5.0) else ""


def _pareto_point(axes: Axes, x: Estimate, y: Estimate, look: Look) -> None:
    at = (x.value or 0.0, y.value or 0.0)
    if y.interval is not None:
        axes.vlines(at[0], y.interval.low, y.interval.high, color=look.colour, alpha=0.5, linewidth=1.2)
    axes.plot(*at, look.marker, color=look.colour, markersize=6, markeredgecolor="white")


def _close(one: tuple[Estimate, Estimate], other: tuple[Estimate, Estimate]) -> bool:
    """Points of one step count that a single label serves."""
    apart = [abs((a.value or 0) - (b.value or 0)) for a, b in zip(one, other, strict=True)]
    near = all(gap < 0.12 * abs(a.value or 0) for gap, a in zip(apart, one, strict=True))
    return one[0].steps == other[0].steps and near


def _pareto_label(axes: Axes, x: Estimate, y: Estimate) -> None:
    axes.annotate(
        f"{x.steps}",
        (x.value or 0.0, y.value or 0.0),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=7.5,
        color=style.MUTED,  # one label may serve points of several methods
    )


def front(points: Sequence[tuple[Estimate, Estimate]]) -> list[tuple[Estimate, Estimate]]:
    """The points that no other beats on both metrics, in order of the first."""
    columns = [_oriented([p[i] for p in points]) for i in (0, 1)]
    kept = np.flatnonzero(pareto_front(columns[0], columns[1]))
    return sorted((points[int(i)] for i in kept), key=lambda pair: pair[0].value or 0.0)


def _oriented(column: Sequence[Estimate]) -> Floats:
    """Values with a sign that makes smaller better."""
    return np.array([-(e.value or 0.0) if e.higher_is_better else (e.value or 0.0) for e in column])


def _front_line(axes: Axes, points: Sequence[tuple[Estimate, Estimate]]) -> None:
    kept = front(points)
    xs, ys = [x.value or 0.0 for x, _ in kept], [y.value or 0.0 for _, y in kept]
    axes.plot(xs, ys, color="#94a3b8", linewidth=5, alpha=0.35, zorder=1, drawstyle="steps-post")


def bars_figure(study: Study, estimates: Estimates, metric: str) -> str | None:
    """A cost per method, ancestors included: the same at every step count, so one bar each."""
    looks = style.looks(study.methods)
    found = {method: _any_steps(study, estimates, method, metric) for method in looks}
    values = {method: value for method, value in found.items() if value is not None}
    example = estimates.example(metric)
    if not values or example is None:
        return None
    margin = min(max(0.02 + 0.0162 * max(map(len, values)), 0.16), 0.5)
    with style.panel(_title(example), example.unit, left=margin) as (figure, axes):
        rows = range(len(values))
        colours = [looks[method].colour for method in values]
        axes.barh(rows, list(values.values()), color=colours, height=0.62)
        axes.set_yticks(rows, list(values))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.16)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.compact(value)))
        for row, value in zip(rows, values.values(), strict=True):
            axes.annotate(
                names.compact(value),
                (value, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        return style.svg(figure)


def _any_steps(study: Study, estimates: Estimates, method: str, metric: str) -> float | None:
    found = (estimates.get(method, steps, metric) for steps in study.steps)
    return next((item.value for item in found if item is not None), None)


def legend_figure(methods: Sequence[str]) -> str:
    """The legend of all figures, for the Markdown page."""
    looks = style.looks(methods)
    with style.panel("", "") as (figure, axes):
        axes.set_axis_off()
        handles = [
            Line2D([], [], color=look.colour, marker=look.marker, markeredgecolor="white", label=name)
            for name, look in looks.items()
        ]
        rows = -(-len(handles) // 3)
        figure.set_size_inches(9.2, 0.25 + 0.27 * rows)
        axes.legend(handles=handles, ncols=3, loc="center")
        return style.svg(figure)


def curves_figure(
    title: str, curves: Mapping[str, Sequence[tuple[float, float]]], methods: Sequence[str]
) -> str:
    """Training curves of one loss, one line per method."""
    looks = style.looks(methods)
    with style.panel(title, "optimiser step") as (figure, axes):
        shown: list[float] = []
        for method, points in curves.items():
            x, y = [p[0] for p in points], [p[1] for p in points]
            axes.plot(x, y, color=looks[method].colour, linewidth=1.4)
            shown += y
        _vertical_scale(axes, shown)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.compact(value)))
        return style.svg(figure)
