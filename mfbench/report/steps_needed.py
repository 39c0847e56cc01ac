"""`steps_to_95`: with how few steps does a method reach 95 % of what many steps bring?"""

from __future__ import annotations

from collections.abc import Sequence

from mfbench.report import names, style
from mfbench.report.compare import Baseline, baselines
from mfbench.report.document import Block, Column, Table, Text, Value
from mfbench.report.estimates import Estimate, Estimates, pooled_replicates
from mfbench.report.load import Study
from mfbench.report.statistics import Floats, interval

SHARE = 0.95
METRICS = ("kavd_lite", "kvd_lite", "kad_lite", "favd_lite", "sync_corr", "per", "id_sim_lite")


def steps_needed(study: Study, estimates: Estimates) -> tuple[Block, ...]:
    """A row per method, a column per metric in which steps matter; nothing where no baseline has a scale."""
    baseline = next((found for found in baselines(study) if found.steps is not None), None)
    scales = {} if baseline is None else _scales(study, estimates, baseline)
    if baseline is None or not scales:
        return ()
    few = min(study.steps)
    lead = (
        f"`steps_to_95`: the fewest steps at which a method has at least {SHARE:.0%} of the effect of steps, "
        f"which is 0 at {baseline.method} with {_steps(few)} and 1 at {baseline.label}. Small print: the "
        "fewest steps at which the whole 95 % interval of the share is above it. Metrics in which the "
        "baseline's many steps are not better than its few, with an interval, have no such scale and are "
        "left out."
    )
    columns = (Column("method", numeric=False), *(Column(m, "steps", names.explain(m)) for m in scales))
    looks = style.looks(study.methods)
    rows = tuple(
        (
            Value(method, colour=looks[method].colour),
            *(_needed(study, estimates, method, scale) for scale in scales.values()),
        )
        for method in study.methods
    )
    return Text(lead), Table(columns, (("", rows),))


def _steps(count: int) -> str:
    return f"{count} step{'s' if count > 1 else ''}"


Scale = tuple[Estimate, Estimate]  # the baseline with few and with many steps


def _scales(study: Study, estimates: Estimates, baseline: Baseline) -> dict[str, Scale]:
    """Metrics whose effect of steps is surely in their better direction."""
    found = {}
    for metric in names.pick(METRICS, estimates.metrics("quality")):
        few = estimates.get(baseline.method, min(study.steps), metric)
        many = estimates.get(baseline.method, baseline.steps, metric)
        if few is None or many is None or few.steps == many.steps:
            continue
        effect = _gain(few, many)
        draws = _gain_draws(few, many)
        band = None if draws is None else interval(effect, draws)
        if effect > 0 and band is not None and band.low > 0:
            found[metric] = (few, many)
    return found


def _gain(few: Estimate, other: Estimate) -> float:
    """How much better the other is than the baseline with few steps."""
    sign = 1 if few.higher_is_better else -1
    return sign * (float(other.value or 0.0) - float(few.value or 0.0))


def _gain_draws(few: Estimate, other: Estimate) -> Floats | None:
    """Replicates of the gain, paired."""
    a, b = pooled_replicates(few), pooled_replicates(other)
    if a is None or b is None or len(a) != len(b):
        return None
    draws: Floats = (b - a) if few.higher_is_better else (a - b)
    return draws


def _needed(study: Study, estimates: Estimates, method: str, scale: Scale) -> Value:
    """Fewest steps by value and, as small print, by interval."""
    metric = scale[0].metric
    measured = [e for steps in study.steps if (e := estimates.get(method, steps, metric)) is not None]
    if not measured:
        return Value("–")
    reached = [e.steps for e in measured if _gain(scale[0], e) >= SHARE * _gain(*scale)]
    surely = [e.steps for e in measured if _surely(scale, e)]
    return Value(_first(reached, measured), f"surely {_first(surely, measured)}", best=bool(surely))


def _first(reached: Sequence[int | None], measured: Sequence[Estimate]) -> str:
    """The fewest of them, or that even the most measured ones are too few."""
    return str(reached[0]) if reached else f"> {measured[-1].steps}"


def _surely(scale: Scale, found: Estimate) -> bool:
    """Whether the interval of the gain less its wanted share lies above 0 (no ratio, no division)."""
    gain, effect = _gain_draws(scale[0], found), _gain_draws(*scale)
    if gain is None or effect is None:
        return False
    if found is scale[1]:
        return True
    margin = _gain(scale[0], found) - SHARE * _gain(*scale)
    band = interval(margin, gain - SHARE * effect)
    return band is not None and band.low >= 0
