"""The section on latency: quality against it, what a viewer waits for, where the time of a chunk goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.ticker import FuncFormatter

from mfbench.report import figures, names, style
from mfbench.report.document import (
    Block,
    Bullets,
    Column,
    Details,
    Figure,
    Figures,
    Note,
    Section,
    Table,
    Text,
    Value,
)
from mfbench.report.estimates import Estimate, Estimates, pooled_replicates
from mfbench.report.headline import metric_table
from mfbench.report.load import Cell, Study
from mfbench.report.results import axes
from mfbench.report.statistics import Floats, front_shares, surely_dominated

SHOWN = (
    "ttfc_s",
    "ttfc_cold_s",
    "chunk_latency_ms",
    "chunk_latency_ms_p95",
    "chunk_latency_ms_p99",
    "chunk_latency_ms_max",
    "jitter_ms",
    "jitter_ms_p99",
    "jitter_ms_max",
    "rtf",
    "fps",
    "stall_ratio",
    "min_buffer_s",
    "latency_growth",
    "peak_mem_mb",
    "peak_device_mem_mb",
    "j_per_media_s",
)
CALLS = ("nfe_per_chunk", "nfe_cache_per_chunk", "nfe_per_media_s")
STAGES = {
    # from the network to the viewer; colours that no method has first
    "stage_ms_denoise": ("denoise", "#334155"),
    "stage_ms_cache_write": ("cache write", "#94a3b8"),
    "stage_ms_video_decode": ("video decode", "#0d9488"),
    "stage_ms_vocoder": ("vocoder", "#d97706"),
    "stage_ms_host_copy": ("host copy", "#be185d"),
}
LEAST_HELD = 0.95  # share of the time that an undisturbed thread has a processor
PROTOCOL = (
    "One clip at a time, alone on the machine, from the request until pixels and samples are in host memory. "
    "Warm numbers come from undisturbed rollouts after warm-up; chunk percentiles leave out the first two "
    "chunks of each. A percentile stands here only where there are enough chunks for it (200 for a p95, 1000 "
    "for a p99), else the maximum. A latency counts beside the quality of the same weights at the same steps."
)

Pair = tuple[Estimate, Estimate]


def latency(study: Study, estimates: Estimates) -> Section:
    """Quality against latency with the Pareto front, the latency table, and the stages of a chunk."""
    blocks = [*_pareto(study, estimates), *_apart(study, estimates), *_warnings(study)]
    shown = names.pick(SHOWN, estimates.metrics("timing"))
    if shown:
        blocks += [Text(PROTOCOL), _table(study, estimates, shown)]
    blocks += _stages(study, estimates)
    blocks += _details(study, estimates, shown)
    return Section("latency", "Quality against latency", tuple(blocks))


def _table(study: Study, estimates: Estimates, metrics: Sequence[str]) -> Table:
    """The usual table; nobody times the anchors."""
    whole = metric_table(study, estimates, metrics)
    return replace(whole, groups=tuple(group for group in whole.groups if group[0] != "anchors"))


def _pareto(study: Study, estimates: Estimates) -> list[Block]:
    y, x = axes(study, estimates)
    text = figures.pareto_figure(study, estimates, x, y) if x and y else None
    if text is None or x is None or y is None:
        return [Note("Not measured: the first axis of `pareto`.")]
    keys = [(m, s) for m, s in study.groups() if m in study.methods]
    pairs = [(a, b) for m, s in keys if (a := estimates.get(m, s, x)) and (b := estimates.get(m, s, y))]
    front: dict[str, list[str]] = {}
    for found, _ in figures.front(pairs):
        front.setdefault(found.method, []).append(str(found.steps))
    kept = "; ".join(f"{method} at {', '.join(steps)}" for method, steps in front.items())
    lead = Text(f"Numbers beside the points are steps. On the Pareto front (grey): {kept}.")
    alt = f"{y} against {x}, by method and steps, with the Pareto front"
    blocks: list[Block] = [lead, Figures((Figure(f"pareto_{y}", text, alt, large=True),))]
    sure = _sureness(study, pairs)
    return [*blocks, *([sure] if sure else [])]


def _sureness(study: Study, pairs: Sequence[Pair]) -> Details | None:
    """How sure the front is: over bootstrap replicates, and forgiving differences within their intervals."""
    columns = [_draws([pair[i] for pair in pairs]) for i in (0, 1)]
    x_draws, y_draws = (draws for draws in columns)
    if y_draws.shape[1] == 1:
        return None
    if x_draws.shape[1] not in (1, y_draws.shape[1]):
        x_draws = _values([pair[0] for pair in pairs])[:, None]
    x, y = (_values([pair[i] for pair in pairs]) for i in (0, 1))
    shares, beaten = front_shares(x_draws, y_draws), surely_dominated(x, y, x_draws, y_draws)
    looks = style.looks(study.methods)
    rows = tuple(
        (
            Value(pairs[i][0].method, colour=looks[pairs[i][0].method].colour),
            Value(str(pairs[i][0].steps)),
            Value(f"{shares[i]:.2f}", best=bool(shares[i] >= 0.95)),
            Value("yes" if beaten[i] else "no"),
        )
        for i in np.argsort(-shares, kind="stable")
    )
    lead = Text(
        "The share of bootstrap replicates in which a point is on the front; and whether some other point is "
        "surely better on both axes, with 95 % intervals of both differences that exclude 0."
    )
    heads = (
        Column("method", numeric=False),
        Column("steps"),
        Column("on the front"),
        Column("surely beaten"),
    )
    return Details("How sure the front is", (lead, Table(heads, (("", rows),))))


def _values(column: Sequence[Estimate]) -> Floats:
    """Estimates with a sign that makes smaller better, [points]."""
    return np.array([_sign(e) * float(e.value or 0.0) for e in column])


def _sign(estimate: Estimate) -> float:
    return -1.0 if estimate.higher_is_better else 1.0


def _draws(column: Sequence[Estimate]) -> Floats:
    """Replicates [points, replicates] of a column, or its values [points, 1] where some have none."""
    found = [pooled_replicates(e) for e in column]
    drawn = [r for r in found if r is not None and np.isfinite(r).any()]
    if len(drawn) < len(column) or len({len(r) for r in drawn}) != 1:
        return _values(column)[:, None]
    return np.stack([_sign(e) * r for e, r in zip(column, drawn, strict=True)])


def _timed(study: Study) -> list[Cell]:
    """One cell per (method, steps) whose record tells about the timing."""
    found: dict[tuple[str, int | None], Cell] = {}
    for cell in study.cells:
        if cell.ok and cell.extra.get("timing"):
            found.setdefault((cell.method, cell.steps), cell)
    return list(found.values())


def _apart(study: Study, estimates: Estimates) -> list[Block]:
    """Which settings were timed in another run than the others, as their number of rollouts tells."""
    rollouts: dict[int, list[str]] = {}
    for method, steps in study.groups():
        found = estimates.get(method, steps, "rtf")
        if found is not None and found.n is not None:
            rollouts.setdefault(found.n, []).append(f"{method}@{steps}")
    if len(rollouts) < 2:
        return []
    parts = [f"{count} rollouts: {', '.join(cells)}" for count, cells in sorted(rollouts.items())]
    text = f"Timed in runs apart, so compare latencies within one of them only. {'; '.join(parts)}."
    return [Note(text, warning=True)]


def _warnings(study: Study) -> list[Block]:
    """Which timings were not alone on the machine."""
    found: dict[str, list[str]] = {}
    for cell in _timed(study):
        for key, load in sorted(cell.extra["timing"].items()):
            if key.endswith("load"):
                for trouble in _troubles(load):
                    found.setdefault(trouble, []).append(f"{cell.method}@{cell.steps}")
    return [
        Note(
            f"Timed on a machine that was not idle, {trouble}: {', '.join(dict.fromkeys(cells))}.",
            warning=True,
        )
        for trouble, cells in found.items()
    ]


def _troubles(load: dict[str, float | None]) -> list[str]:
    """What was wrong with the load that one network was timed under."""
    averages = [float(v) for v in (load.get("before"), load.get("after")) if v is not None]
    held, cores, others = load.get("held"), load.get("cores"), load.get("gpu_processes")
    troubles = {
        "with more work than cores (load average)": bool(cores and averages and max(averages) > cores),
        f"where the timed thread had a processor for less than {LEAST_HELD:.0%} of the time": (
            held is not None and held < LEAST_HELD
        ),
        "with other processes on the graphics processor": bool(others),
    }
    return [trouble for trouble, there in troubles.items() if there]


def _stages(study: Study, estimates: Estimates) -> list[Block]:
    drawn = [(steps, text) for steps in study.steps if (text := stages_figure(study, estimates, steps))]
    if not drawn:
        return [Note("Not measured: the stages of a chunk.")]
    lead = Text(
        "Where the time of a chunk goes, from rollouts of their own that wait for the device at every stage "
        "border: these numbers are not those of the table."
    )
    alt = "time per chunk by stage and method, {}"
    items = tuple(Figure(f"stages_{steps}", text, alt.format(_at(steps))) for steps, text in drawn)
    return [lead, Figures(items, legend=False)]


def _at(steps: int) -> str:
    return f"{steps} step{'s' if steps > 1 else ''}"


def stages_figure(study: Study, estimates: Estimates, steps: int) -> str | None:
    """Stacked bars of the mean time per chunk, one per method, at one step count."""
    rows = [m for m in study.methods if any(estimates.get(m, steps, name) for name in STAGES)]
    if not rows:
        return None
    margin = min(max(0.02 + 0.0162 * max(map(len, rows)), 0.16), 0.5)
    with style.panel(_at(steps), "ms per chunk", left=margin) as (figure, axes_):
        ends = np.zeros(len(rows))
        for name, (label, colour) in STAGES.items():
            found = [estimates.get(method, steps, name) for method in rows]
            widths = np.array([float(e.value or 0.0) if e else 0.0 for e in found])
            axes_.barh(range(len(rows)), widths, left=ends, color=colour, height=0.62, label=label)
            ends += widths
        axes_.set_yticks(range(len(rows)), rows)
        axes_.set_ylim(len(rows) - 0.4, -0.5 - 0.22 * len(rows))  # downwards, with room for the legend
        axes_.grid(visible=False, axis="y")
        axes_.margins(x=0.12)
        axes_.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.compact(value)))
        for row, end in enumerate(ends):
            axes_.annotate(
                names.compact(float(end)),
                (float(end), row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes_.legend(loc="upper center", ncols=3, fontsize=7.5, handlelength=1, columnspacing=1, borderpad=0)
        return style.svg(figure)


def _details(study: Study, estimates: Estimates, shown: Sequence[str]) -> list[Block]:
    """Every other speed, those of the larger network, and what the names mean."""
    known = (*estimates.metrics("timing"), *names.pick(CALLS, estimates.metrics("cost")))
    wide = [m for m in known if m.startswith(names.WIDE)]
    rest = [m for m in known if m not in shown and m not in wide]
    blocks: list[Block] = []
    if rest:
        more = [Text(text) for text in _uncounted(study)]
        blocks.append(Details("Stages, network calls, FLOPs", (_table(study, estimates, rest), *more)))
    if wide:
        blocks.append(Details("The larger network", (_table(study, estimates, wide),)))
    explained = [f"`{m}`: {names.explain(m)}." for m in (*shown, *rest, *wide) if names.explain(m)]
    if explained:
        blocks.append(Details("What the numbers are", (Bullets(tuple(dict.fromkeys(explained))),)))
    return blocks


def _uncounted(study: Study) -> list[str]:
    """A sentence on the operators that no FLOP count holds."""
    timed = [cell.extra["timing"] for cell in _timed(study)]
    flops = [value for facts in timed for key, value in facts.items() if key.endswith("flops")]
    found = sorted({name for entry in flops for name in entry.get("uncounted", ())})
    if not found:
        return []
    listed = ", ".join(f"`{name}`" for name in found)
    return [f"FLOPs leave out operators without a formula ({listed}) and everything outside torch."]
