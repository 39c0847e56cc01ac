"""Intervals by resampling prompts.

A distance between sets costs far more per resample than a mean does and gets fewer of them: with 100, all
distances of 1000 films together take 16 s of one core, a tenth of what reading the films takes.
"""

from __future__ import annotations

import numpy as np

from mfbench.metrics.base import IntArray, Scores

LEVEL = 0.95
LEAST_PROMPTS = 3
REPLICATES = 500
SET_REPLICATES = 100  # of a distance between sets


def interval(
    scores: Scores, value: float | None, cluster: IntArray, replicates: int
) -> tuple[float | None, float | None]:
    """Percentile interval over resampled prompts, shifted onto the value; none with fewer than 3 prompts.

    Args:
        scores: of clips.
        value: of all of them.
        cluster: index of the prompt of every clip, [clips].
        replicates: number of resamples.
    """
    drawn = _drawn(scores, cluster, replicates) if value is not None else []
    if value is None or not drawn or len(drawn) < replicates // 2:
        return None, None
    moved = np.array(drawn) - np.mean(drawn)
    low, high = np.quantile(moved, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(value + min(low, 0.0)), float(value + max(high, 0.0))


def _drawn(scores: Scores, cluster: IntArray, replicates: int) -> list[float]:
    """Values of resamples; none with too few prompts, or where they tell nothing."""
    known = np.unique(cluster)
    if len(known) < LEAST_PROMPTS or not scores.resampled:
        return []
    members = [np.flatnonzero(cluster == prompt) for prompt in known]
    rng = np.random.default_rng([len(cluster), replicates])
    drawn = []
    for _ in range(replicates):
        chosen = np.concatenate([members[i] for i in rng.integers(0, len(known), len(known))])
        found = scores.value(chosen)
        if found is not None:
            drawn.append(found)
    return drawn
