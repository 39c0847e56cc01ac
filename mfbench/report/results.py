"""The sections of measured results: tables, curves over steps, sync, drift."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mfbench.report import drift, figures, names, selection
from mfbench.report.compare import Comparison, baselines
from mfbench.report.document import Block, Bullets, Details, Figure, Figures, Note, Section, Table, Text
from mfbench.report.estimates import Estimates
from mfbench.report.headline import comparison_table, metric_table
from mfbench.report.load import Study

PARETO = ("chunk_latency_ms", "kavd_lite")
COMPARED = ("kavd_lite", "kvd_lite", "kad_lite", "sync_corr", "per", "wer_lite", "id_sim_lite")


def headline_metric(study: Study, estimates: Estimates) -> str | None:
    """The quality that summaries use: the second axis of `report.pareto`, else the first known headline."""
    wanted = (list(study.report.get("pareto") or PARETO)[1], *selection.HEADLINE)
    return next(iter(names.pick(wanted, estimates.metrics("quality"))), None)


def headline(study: Study, estimates: Estimates) -> Section:
    """The main table, and all quality metrics by family folded away."""
    everything = (*estimates.metrics("quality"), *estimates.metrics("timing"), *estimates.metrics("cost"))
    first = names.pick(selection.HEADLINE, everything)
    families = selection.by_family(estimates.metrics("quality"))
    blocks: list[Block] = [
        Text(
            "Pooled over seeds. Small print: 95 % interval. ↑ higher is better, ↓ lower is better, ≈ closer "
            "to real is better. **Bold**: best (≈: closest to real) at this step count; tinted: best of all. "
            "–: not measured."
        ),
        metric_table(study, estimates, first),
    ]
    if study.settings.get("off_design"):
        blocks.append(Note("† a step count that the method was not designed for."))
    blocks += [Details(family.title, (_explained(study, estimates, family.metrics))) for family in families]
    return Section("results", "Results", tuple(blocks))


def _explained(study: Study, estimates: Estimates, metrics: Sequence[str]) -> tuple[Block, ...]:
    """A table, and a line about each of its metrics."""
    lines = tuple(f"`{metric}`: {names.explain(metric)}." for metric in metrics if names.explain(metric))
    return metric_table(study, estimates, metrics), Bullets(lines)


def compared(study: Study, estimates: Estimates) -> tuple[str, ...]:
    """Metrics that tables of differences show, the headline first."""
    return names.pick((headline_metric(study, estimates) or "", *COMPARED), estimates.metrics("quality"))


def differences(study: Study, estimates: Estimates, comparisons: Sequence[Comparison]) -> Section:
    """Paired differences against every baseline of the experiment."""
    metrics = compared(study, estimates)
    blocks: list[Block] = [
        Text(
            "Differences are paired by prompt, seed and bootstrap replicate. A verdict needs an interval "
            "that excludes 0 and p < 0.05 after Holm's correction over all comparisons of that metric with "
            "that baseline. All metrics are in `comparisons.csv`."
        )
    ]
    for baseline in baselines(study):
        family = [c for c in comparisons if c.family == baseline]
        table: Table = comparison_table(study, family, metrics)
        if table.groups:
            blocks.append(Details(f"Against {baseline.label}", (table,)))
    if len(blocks) == 1:
        blocks.append(Note("Not measured: no cell can be paired with a baseline."))
    return Section("differences", "Paired differences", tuple(blocks))


def _over_steps(study: Study, estimates: Estimates, metrics: Sequence[str], what: str) -> tuple[Block, ...]:
    known = estimates.metrics("quality")
    return drawn(
        names.pick(metrics, known),
        lambda metric: figures.steps_figure(study, estimates, metric),
        lambda metric: f"{metric} over steps per chunk, by method",
        "steps",
        what,
    )


def drawn(
    metrics: Sequence[str],
    draw: Callable[[str], str | None],
    describe: Callable[[str], str],
    prefix: str,
    what: str,
) -> tuple[Block, ...]:
    """A grid of one figure per metric, or a note that `what` was not measured."""
    texts = [(metric, draw(metric)) for metric in metrics]
    items = tuple(Figure(f"{prefix}_{m}", text, describe(m)) for m, text in texts if text is not None)
    return (Figures(items),) if items else (Note(f"Not measured: {what}."),)


def quality(study: Study, estimates: Estimates) -> Section:
    """Quality against steps."""
    lead = Text(
        "Each panel has its own scale, logarithmic where values span more than a decade. Bars are 95 % "
        "intervals; the dashed line is real test clips against real training clips."
    )
    main = _over_steps(study, estimates, selection.QUALITY_FIGURES, "quality metrics")
    more = _over_steps(study, estimates, selection.DIVERSITY_FIGURES, "diversity and motion")
    folded = (Details("Diversity, motion and loudness (collapse shows here)", more),) if _any(more) else more
    return Section("steps", "Quality against steps", (lead, *main, *folded))


def _any(blocks: tuple[Block, ...]) -> bool:
    return any(isinstance(block, Figures) for block in blocks)


def axes(study: Study, estimates: Estimates) -> tuple[str | None, str | None]:
    """The headline metric, and the time or cost that it is drawn against."""
    everything = (*estimates.metrics("timing"), *estimates.metrics("cost"))
    wanted = str(next(iter(study.report.get("pareto") or PARETO)))
    return headline_metric(study, estimates), names.resolve(wanted, everything)


def sync(study: Study, estimates: Estimates) -> Section:
    """Audio-video sync, with its sign convention."""
    lead = Text(
        "An offset is **positive when audio leads** the picture and negative when it lags. The signed mean "
        "shows a bias, the absolute mean the size of the error. Confidence is above 0 even for unrelated "
        "pairs: compare with the null row."
    )
    main = _over_steps(study, estimates, selection.SYNC_FIGURES, "sync")
    more = _over_steps(study, estimates, selection.SYNC_MORE_FIGURES, "further sync metrics")
    folded = (Details("Raw confidence, signed offset, visemes", more),) if _any(more) else ()
    return Section("sync", "Sync", (lead, *main, *folded))


def drifts(study: Study, estimates: Estimates) -> Section:
    """Drift over a rollout longer than the training length: curves over time, and slopes over steps."""
    blocks = drawn(
        drift.metrics(study),
        lambda metric: drift.figure(study, metric),
        lambda metric: f"{metric} over time in a long rollout, by method",
        "drift",
        "no record holds a long rollout",
    )
    steps = drift.steps_shown(study)
    if steps is not None:
        lead = (
            f"Long rollouts at {steps} steps (methods without that setting: at their largest), in windows of "
            "equal length. Bands are 95 % intervals; dashed: real clips of the same length."
        )
        blocks = (Text(lead), *blocks)
    slopes = names.pick(selection.DRIFT_FIGURES, estimates.metrics("quality"))
    if slopes:
        lead = (
            "Slopes over a long rollout: 0 is no drift; real clips drift a little too. The table of all "
            "drifts is among the results."
        )
        over_steps = (Text(lead), *_over_steps(study, estimates, slopes, "drift slopes"))
        blocks = (*blocks, *over_steps) if steps is not None else over_steps
    return Section("drift", "Drift over time", blocks)
