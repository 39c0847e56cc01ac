"""The section on who is best how surely: ranks, probability of improvement, hypervolume, steps needed."""

from __future__ import annotations

import numpy as np

from mfbench.report import names, style
from mfbench.report.compare import CONTROLS
from mfbench.report.document import Block, Column, Section, Table, Text, Value
from mfbench.report.estimates import Estimate, Estimates, pooled_replicates
from mfbench.report.inference import hypervolume, probability_of_improvement, rank_shares
from mfbench.report.load import Study
from mfbench.report.statistics import Floats, interval, shared_weights
from mfbench.report.steps_needed import steps_needed

CONTROL = CONTROLS[0]
PER_CLIP = ("per", "sync_corr")


def rankings(study: Study, estimates: Estimates, headline: str | None, latency: str | None) -> Section | None:
    """Ranks in the headline metric at equal steps; None where fewer than two methods can be ranked."""
    table = _ranks(study, estimates, headline) if headline else None
    if table is None or headline is None:
        return None
    blocks: list[Block] = [
        Text(
            f"At equal steps, over bootstrap replicates of `{headline}`: how often a method is the best, and "
            f"its mean rank. Beside it, the probability that a clip of the method is better than a clip of "
            f"{CONTROL} at the same steps (ties count half; 0.5 is no difference). Metrics are not added up."
        ),
        table,
    ]
    volumes = _volumes(study, estimates, headline, latency) if latency else None
    if volumes is not None:
        blocks += [
            Text(
                f"`pareto_hv` is a hypervolume: the area that a method's step counts dominate in log10 "
                f"`{latency}` against `{headline}`, up to the slowest setting of the page and the null row "
                "(or, without one, the worst value). Larger is better."
            ),
            volumes,
        ]
    blocks += steps_needed(study, estimates)
    return Section("ranks", "Ranks and fronts", tuple(blocks))


def _ranks(study: Study, estimates: Estimates, headline: str) -> Table | None:
    looks, groups = style.looks(study.methods), []
    for steps in study.steps:
        drawn = {m: r for m in study.methods if (r := _draws(estimates.get(m, steps, headline))) is not None}
        if len(drawn) < 2:
            continue
        up = bool(next(e for m in drawn if (e := estimates.get(m, steps, headline))).higher_is_better)
        shares = rank_shares(np.stack(list(drawn.values())) * (-1 if up else 1))
        mean_rank = shares @ np.arange(1, len(drawn) + 1)
        rows = [
            (
                Value(method, colour=looks[method].colour),
                Value(f"{shares[i, 0]:.2f}", best=shares[i, 0] == shares[:, 0].max()),
                Value(f"{mean_rank[i]:.1f}"),
                *(_improvement(estimates, method, steps, metric) for metric in PER_CLIP),
            )
            for i, method in enumerate(drawn)
        ]
        groups.append((f"{steps} step{'s' if steps > 1 else ''}", tuple(rows)))
    heads = ("P(best)", "mean rank", *(f"P(better {metric})" for metric in PER_CLIP))
    columns = (Column("method", numeric=False), *(Column(head) for head in heads))
    return Table(columns, tuple(groups)) if groups else None


def _draws(estimate: Estimate | None) -> Floats | None:
    """Pooled replicates, if they have any spread."""
    drawn = pooled_replicates(estimate) if estimate else None
    return drawn if drawn is not None and np.isfinite(drawn).all() and np.ptp(drawn) > 0 else None


def _improvement(estimates: Estimates, method: str, steps: int, metric: str) -> Value:
    found, control = (estimates.get(name, steps, metric) for name in (method, CONTROL))
    if found is None or control is None or method == CONTROL:
        return Value("–")
    a, b = _by_prompt(found), _by_prompt(control)
    if a is None or b is None or len(a) != len(b):
        return Value("–")
    sign = 1.0 if found.higher_is_better else -1.0
    weights = shared_weights(1, 1, len(a)).reshape(-1, len(a))
    value = float(probability_of_improvement(sign * a, sign * b))
    band = interval(value, probability_of_improvement(sign * a, sign * b, weights))
    return Value(f"{value:.2f}", f"[{band.low:.2f}, {band.high:.2f}]" if band else "")


def _by_prompt(estimate: Estimate) -> Floats | None:
    """Mean over seeds per prompt; None unless every prompt has a value."""
    if estimate.samples is None or not np.isfinite(estimate.samples).any(axis=(0, 1)).all():
        return None
    means: Floats = np.nanmean(estimate.samples, axis=(0, 1))
    return means


def _volumes(study: Study, estimates: Estimates, headline: str, latency: str) -> Table | None:
    """Per method, with an interval from the replicates of its quality; latency is taken as measured."""
    worst = estimates.get("null", None, headline)
    found = {
        method: [
            (float(slow.value), good)
            for steps in study.steps
            if (slow := estimates.get(method, steps, latency)) is not None and slow.value
            if (good := estimates.get(method, steps, headline)) is not None and _draws(good) is not None
        ]
        for method in study.methods
    }
    points = [point for listed in found.values() for point in listed]
    if not points:
        return None
    top = float(worst.value) if worst and worst.value else max(float(e.value or 0) for _, e in points)
    reference = (float(np.log10(max(x for x, _ in points))), top)
    looks = style.looks(study.methods)
    rows = []
    for method, listed in found.items():
        if not listed:
            continue
        x = np.log10([slow for slow, _ in listed])
        value = hypervolume(x, np.array([float(e.value or 0) for _, e in listed]), reference)
        drawn = np.stack([r for _, e in listed if (r := _draws(e)) is not None])
        band = interval(value, np.array([hypervolume(x, column, reference) for column in drawn.T]))
        note = f"[{names.number(band.low, 2)}, {names.number(band.high, 2)}]" if band else ""
        rows.append((Value(method, colour=looks[method].colour), Value(names.number(value, 2), note)))
    return Table((Column("method", numeric=False), Column("pareto_hv")), (("", tuple(rows)),))
