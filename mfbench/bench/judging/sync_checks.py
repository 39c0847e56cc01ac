"""Do the judges of sync find offsets, tell pairs from strangers, and fall with the dose of desync?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from mfbench.bench.judging.check import Check, at_least, at_most, info
from mfbench.bench.judging.kit import Kit
from mfbench.bench.judging.takes import Takes, hear, real_takes, view
from mfbench.mel import SAMPLE_RATE_HZ
from mfbench.metrics import judged_sync, lip_sync
from mfbench.metrics.observe import Observation

FloatArray = NDArray[np.float32]
Curves = Callable[[Observation], FloatArray]

JUDGES: dict[str, Curves] = {
    "readers": lambda seen: lip_sync.curves(seen).correlation,
    "cca": lambda seen: seen.judged.cca_curves(),
    "contrastive": lambda seen: seen.judged.net_curves().mean(1),
}
INJECTED_MS = (0, 20, -20, 40, -40, 80, -80, 120, -120, 200, -200, 400, -400)
DOSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
JITTER_MS = (0.0, 30.0, 60.0, 120.0)
APART_MS = 200.0
TOLERANCE_MS = 40.0


@dataclass(frozen=True)
class Anchors:
    """Mean and spread of a judge's confidence on real pairs and on strangers."""

    real: float
    null: float
    null_sd: float

    @property
    def reach(self) -> float:
        """From strangers to pairs."""
        return self.real - self.null


def at_zero(curves: FloatArray) -> FloatArray:
    """Likeness of what is seen and heard at the same time."""
    return np.asarray(curves[:, curves.shape[1] // 2])


def strangers(takes: Takes) -> NDArray[np.int64]:
    """For every clip the nearest other one of the same voice, else the next."""
    count = len(takes.voice)
    found = []
    for clip in range(count):
        others = [(clip + k) % count for k in range(1, count)]
        same = [other for other in others if takes.voice[other] == takes.voice[clip]]
        found.append((same or others)[0])
    return np.array(found)


def offset_recovery(kit: Kit, takes: Takes, seen: Observation) -> Iterator[Check]:
    """Shift the sound by known amounts; positive = the sound leads."""
    heard = {ms: hear(kit, seen, takes.sound(ms)) for ms in INJECTED_MS}
    for judge, curves in JUDGES.items():
        found = np.stack([judged_sync.offset_ms(curves(heard[ms])) for ms in INJECTED_MS])
        wanted = np.repeat(np.array(INJECTED_MS, dtype=np.float64)[:, None], found.shape[1], axis=1)
        error = np.abs(found - wanted)
        sign = np.sign(found[1:]) == np.sign(wanted[1:])
        yield at_least(f"offset within 40 ms, {judge}", float((error <= TOLERANCE_MS).mean()), 0.95)
        yield at_most(f"offset median error in ms, {judge}", float(np.median(error)), 10.0)
        yield at_least(f"offset rank correlation, {judge}", _spearman(wanted, found), 0.98)
        yield at_least(f"offset sign right, {judge}", float(sign.mean()), 0.95)


def _spearman(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(stats.spearmanr(a.ravel(), b.ravel()).statistic)


def discrimination(kit: Kit, takes: Takes, seen: Observation) -> Iterator[Check]:
    """Pairs against strangers of the same voice, and against the same sound 200 ms off."""
    real = hear(kit, seen, takes.sound())
    wrong = hear(kit, seen, takes.sound()[strangers(takes)])
    shifted = [hear(kit, seen, takes.sound(sign * APART_MS)) for sign in (1, -1)]
    for judge, curves in JUDGES.items():
        pairs, others = (judged_sync.confidence(curves(item)) for item in (real, wrong))
        off = np.concatenate([at_zero(curves(item)) for item in shifted])
        yield at_least(f"AUC of pairs against strangers, {judge}", auc(pairs, others), 0.98)
        yield at_least(f"AUC of pairs against 200 ms off, {judge}", auc(at_zero(curves(real)), off), 0.95)


def auc(higher: FloatArray, lower: FloatArray) -> float:
    """Chance that a value of the first is above one of the second (Mann-Whitney), ties half."""
    statistic = stats.mannwhitneyu(higher, lower, alternative="greater").statistic
    return float(statistic / (len(higher) * len(lower)))


def dose_response(kit: Kit, takes: Takes, seen: Observation) -> Iterator[Check]:
    """Sound of a stranger in a growing part of the clip, and sound that wanders in time."""
    right, wrong = takes.sound(), takes.sound()[strangers(takes)]
    swapped = [hear(kit, seen, partly(right, wrong, dose)) for dose in DOSES]
    wandering = [hear(kit, seen, jittered(takes, ms)) for ms in JITTER_MS]
    for judge, curves in JUDGES.items():
        for what, views in (("strangers' sound", swapped), ("wandering sound", wandering)):
            values = np.array([judged_sync.confidence(curves(item)).mean() for item in views])
            yield at_least(f"monotone fall with the dose of {what} (R2), {judge}", falling(values), 0.95)


def partly(right: FloatArray, wrong: FloatArray, dose: float) -> FloatArray:
    """The last part of the sound replaced."""
    cut = round((1 - dose) * right.shape[1])
    return np.concatenate([right[:, :cut], wrong[:, cut:]], axis=1)


def jittered(takes: Takes, reach_ms: float) -> FloatArray:
    """Sound read at times that swing by +-reach with a period of 2.56 s."""
    samples = takes.sound().shape[1]
    times = np.arange(samples) / SAMPLE_RATE_HZ
    moved = times + reach_ms / 1000 * np.sin(2 * np.pi * times / 2.56)
    start = (takes.surrounding.shape[1] - samples) / 2
    position = start + moved * SAMPLE_RATE_HZ
    grid = np.arange(takes.surrounding.shape[1])
    return np.stack([np.interp(position, grid, clip) for clip in takes.surrounding]).astype(np.float32)


def falling(values: FloatArray) -> float:
    """Share of the variance that the best falling curve explains."""
    fitted = optimize.isotonic_regression(values, increasing=False).x
    spread = ((values - values.mean()) ** 2).sum()
    return float(1 - ((values - fitted) ** 2).sum() / spread) if spread > 0 else 0.0


def anchors(kit: Kit, takes: Takes, seen: Observation) -> dict[str, Anchors]:
    """Of every judge, on these clips."""
    real = hear(kit, seen, takes.sound())
    wrong = hear(kit, seen, takes.sound()[strangers(takes)])
    made = {}
    for judge, curves in JUDGES.items():
        pairs, others = (judged_sync.confidence(curves(item)) for item in (real, wrong))
        made[judge] = Anchors(float(pairs.mean()), float(others.mean()), float(others.std()))
    return made


def window_lengths(kit: Kit) -> Iterator[Check]:
    """How sure an offset is in clips of 2, 5 and 10 s, and how many clips give +-5 % of the range."""
    for seconds in (2.56, 5.12, 10.24):
        takes = real_takes(24, seconds)
        seen = view(kit, takes.pictures(), takes.sound())
        known = anchors(kit, takes, seen)
        for judge, curves in JUDGES.items():
            found = curves(seen)
            error = np.abs(judged_sync.offset_ms(found))
            yield info(f"offset within 40 ms at {seconds} s, {judge}", float((error <= TOLERANCE_MS).mean()))
            spread = float(judged_sync.confidence(found).std())
            wanted = (1.96 * spread / (0.05 * known[judge].reach)) ** 2
            yield info(f"clips for +-5 % of the range at {seconds} s, {judge}", float(np.ceil(wanted)))
