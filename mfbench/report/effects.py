"""What a hypothesis is about, as a number with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from mfbench.report.compare import ALPHA
from mfbench.report.estimates import Estimate, Estimates
from mfbench.report.few_trainings import Compound, of_clips, of_sets
from mfbench.report.hypotheses import Hypothesis
from mfbench.report.inference import Measured
from mfbench.report.load import Study
from mfbench.report.statistics import Floats, Interval


@dataclass(frozen=True)
class Effect:
    """How much worse the candidate is (or a timing, or a ratio of costs) with its 95 % interval."""

    measured: Measured | Compound
    interval: Interval | None

    @classmethod
    def of(cls, value: float, spread: Compound) -> Effect:
        """A value with the spread over trainings and prompts that was found around (about) it."""
        measured = Compound(value, spread.shares)
        return cls(measured, measured.interval)

    @classmethod
    def repeated(cls, values: Floats) -> Effect:
        """From one value per rollout or per training; without spread it is exact."""
        mean, freedom = float(values.mean()), len(values) - 1
        error = float(values.std(ddof=1)) / sqrt(len(values))
        reach = float(stats.t.ppf(1 - ALPHA / 2, freedom)) * error
        return cls(Measured(mean, error, freedom), Interval(mean - reach, mean + reach))


def effect_of(h: Hypothesis, study: Study, estimates: Estimates) -> Effect | None:
    """What a hypothesis is about, or None where the study lacks a part of it."""
    if h.kind == "cheaper":
        return _cost_ratio(h, study)
    candidate = estimates.get(*h.candidate, h.metric)
    if h.rival is None:
        return _timing(candidate)
    rival = estimates.get(*h.rival, h.metric)
    if candidate is None or rival is None:
        return None
    if h.kind == "less drift":
        return _excess_drift(candidate, rival, estimates.get("real", None, h.metric))
    if candidate.higher_is_better is None:
        return None
    sign = -1.0 if candidate.higher_is_better else 1.0
    return _weighed(((sign, candidate), (-sign, rival)))


def _weighed(terms: Sequence[tuple[float, Estimate]]) -> Effect | None:
    """A sum of estimates times factors, paired by training, prompt and bootstrap replicate."""
    value = sum(factor * float(estimate.value or 0.0) for factor, estimate in terms)
    if all(estimate.samples is not None for _, estimate in terms):
        spread = of_clips(_sum([(factor, e.samples) for factor, e in terms]))  # type: ignore[misc]
    elif all(estimate.replicates is not None for _, estimate in terms):
        drawn = _sum([(factor, e.replicates) for factor, e in terms])  # type: ignore[misc]
        by_training = np.nanmean(drawn, axis=1)
        first = terms[0][1]
        prompts = (first.n or 0) // max(1, int(np.isfinite(drawn).all(axis=-1).sum()))
        spread = of_sets(by_training.mean(axis=1), by_training, prompts) if prompts > 1 else None
    else:
        return None
    return None if spread is None else Effect.of(value, spread)


def _sum(terms: Sequence[tuple[float, Floats]]) -> Floats:
    """Arrays [train_seeds, sample_seeds, length]; anchors, which have one of each, count for all."""
    return np.asarray(sum(factor * array for factor, array in terms))


def _cost_ratio(h: Hypothesis, study: Study) -> Effect | None:
    """Cost of the candidate over that of its rival, ancestors included, one ratio per training seed."""
    assert h.rival is not None
    costs = [
        {
            cell.train_seed: found.value
            for cell in study.of(*key)
            if (found := cell.metrics.get(h.metric)) is not None and found.value
        }
        for key in (h.candidate, h.rival)
    ]
    seeds = sorted(set(costs[0]) & set(costs[1]), key=str)
    ratios = np.array([float(costs[0][s] or 0) / float(costs[1][s] or 1) for s in seeds])
    return Effect.repeated(ratios) if len(ratios) > 1 else None


def _timing(candidate: Estimate | None) -> Effect | None:
    """Over the rollouts of the training that was timed, which all its sampling seeds share."""
    if candidate is None or candidate.samples is None or candidate.samples.shape[-1] < 2:
        return None
    rollouts = candidate.samples.reshape(-1, candidate.samples.shape[-1])
    return Effect.repeated(rollouts[np.isfinite(rollouts).all(axis=1)][0])


def _excess_drift(candidate: Estimate, rival: Estimate, real: Estimate | None) -> Effect | None:
    """|candidate - real| - |rival - real|, the sizes taken along the signs of the two estimates.

    A size varies no more than what it is the size of, so the interval is never too short.
    """
    if real is None:
        return None
    zero = float(real.value or 0.0)
    one, other = (1.0 if float(e.value or 0.0) >= zero else -1.0 for e in (candidate, rival))
    return _weighed(((one, candidate), (-other, rival), (other - one, real)))
