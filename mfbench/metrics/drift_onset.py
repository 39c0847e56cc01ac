"""From when on films are no longer what they were in their first seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from mfbench.metrics.base import BoolArray, Double, EmbeddedClips, IntArray, Scores, SetMetric
from mfbench.metrics.drift import LEAST_WINDOWS, WINDOW_S
from mfbench.metrics.embedding import GROUPS, HOP_S
from mfbench.registry import METRICS

SIGNALS = ("looks", "head", "spectrum", "agreement")  # appearance, motion, sound, sync
ERROR = 0.05  # chance of an onset where nothing drifts, over all signals and windows together
LEAST_PROMPTS = 3
_POINTS = round(WINDOW_S / HOP_S)  # of a window; the last reaches into the next one and is left out
_LEAST_SQUARE = 1e-6
_LEAST_CHANGE = 1e-6  # rounding of equal values


def signal_levels(points: NDArray[np.float32]) -> Double:
    """Log mean square of every signal of a clip's joint embedding [points, values], [windows, signals]."""
    windows = (len(points) + 1) // _POINTS
    if windows == 0:
        return np.empty((0, len(SIGNALS)))
    index = _POINTS * np.arange(windows)[:, None] + np.arange(_POINTS - 1)
    ends = list(accumulate(group.channels for group in GROUPS.values()))
    levels = np.empty((windows, len(SIGNALS)))
    for k, name in enumerate(SIGNALS):
        place = list(GROUPS).index(name)
        values = points[:, ends[place] - GROUPS[name].channels : ends[place]] / GROUPS[name].weight
        square = (values.astype(np.float64) ** 2).mean(1)
        levels[:, k] = np.log(square[index].mean(1) + _LEAST_SQUARE)
    return levels


@dataclass(frozen=True)
class OnsetScores(Scores):
    """Changes from the first window.

    Attributes:
        change: of `signal_levels`, nan behind a clip's end, [clips, windows after the first, signals].
        independent: prompts per clip; clips of one prompt count as one, which is the cautious extreme.
        horizon_s: end of the last window that enough prompts reach.
    """

    change: Double
    independent: float
    horizon_s: float
    resampled: ClassVar[bool] = False  # shifted resamples would reach beyond the horizon

    def value_of(self, clips: IntArray) -> float | None:
        """Start of the first window with a change; the horizon where there is none; None if too few clips."""
        change = self.change[np.unique(clips)]  # a clip drawn twice says nothing that it did not say once
        windows = change.shape[1]
        if windows == 0:
            return None
        for window in range(windows):
            known = change[np.isfinite(change[:, window, 0]), window]
            prompts = len(known) * self.independent
            if prompts < LEAST_PROMPTS - 1e-9:
                return None if window == 0 else self.horizon_s
            tail = ERROR / (2 * windows * len(SIGNALS))
            half = student.isf(tail, prompts - 1) * known.std(0, ddof=1) / np.sqrt(prompts)
            if (np.abs(known.mean(0)) > np.maximum(half, _LEAST_CHANGE)).any():
                return (window + 1) * WINDOW_S
        return self.horizon_s


@METRICS.register_module(name="drift_onset_s")
class DriftOnset(SetMetric):
    """Start of the first window in which films differ from their own first one; the horizon if none does.

    Four signals of the joint embedding, each the log of its mean square in windows of 5.12 s, which is how
    far a film is from the middle of real clips: looks (identity and colour), head (motion), spectrum
    (loudness and timbre), agreement (of the mouth seen and heard). Both directions count: freezing is drift.

    A window differs where, for one signal, the confidence interval over clips of the change from the first
    window excludes 0. Changes are taken within a clip, since talkers differ more than they drift, and the
    level is such that films that do not drift have an onset in at most 5 % of studies, over all windows and
    signals (Student's t, Bonferroni). It says when drift shows with these films: more films show it earlier.
    Compare at equal n.

    Right-censored: where no window differs the value is the horizon, the end of the last window that at least
    3 prompts reach, and means 'not before'. A real onset is always at least one window earlier.
    """

    name = "drift_onset_s"
    unit = "s, horizon if none"
    higher_is_better = True
    low = 0.0
    least_clips = 16
    least_s = 15.36
    needs = ("character", "sound")

    def set_scores(self, candidate: EmbeddedClips, reference: EmbeddedClips, prompt: IntArray) -> Scores:
        """Changes of every clip that is long enough."""
        del reference
        joint = candidate.joint
        levels = [signal_levels(joint.points[a:b]) for a, b in pairwise(joint.first)]
        reached = np.array([len(level) for level in levels])
        usable = candidate.intact & (reached >= LEAST_WINDOWS)
        windows = _reached(reached, usable, prompt)
        change = np.full((len(levels), max(0, windows - 1), len(SIGNALS)), np.nan)
        for clip in np.flatnonzero(usable):
            later = levels[clip][1:windows] - levels[clip][0]
            change[clip, : len(later)] = later
        independent = len(np.unique(prompt[usable])) / max(1, usable.sum())
        return OnsetScores(usable, change, independent, windows * WINDOW_S)


def _reached(windows: IntArray, usable: BoolArray, prompt: IntArray) -> int:
    """Most windows that clips of enough prompts have."""
    longest = [windows[usable & (prompt == one)].max() for one in np.unique(prompt[usable])]
    return int(np.sort(longest)[-LEAST_PROMPTS]) if len(longest) >= LEAST_PROMPTS else 0
