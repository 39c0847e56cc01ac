"""Do the readers of the character know who speaks, who is shown and what is said?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mfbench.bench.judging.check import Check, at_least, at_most, info
from mfbench.bench.judging.kit import Kit
from mfbench.bench.judging.sync_checks import auc
from mfbench.bench.judging.takes import Takes, hear
from mfbench.metrics.base import FloatArray, Metric
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

GAINS_DB = (-12.0, 12.0)
NOISE_DB = 20.0  # below the sound
# on real clips, where every reading has a right answer
LEAST = {"id_sim_lite": 0.95, "attr_acc": 0.95, "render_valid": 0.95, "mouth_detect_rate": 0.95}
MOST = {"per": 0.1, "wer_lite": 0.1, "f0_rmse_st": 2.0}


def readings(kit: Kit, takes: Takes, seen: Observation) -> Iterator[Check]:
    """Values of real clips, voices told apart, and voices that are louder, softer or in hiss."""
    for name, least in LEAST.items():
        yield at_least(f"{name} of real clips", _value(name, takes, seen), least)
    for name, most in MOST.items():
        yield at_most(f"{name} of real clips", _value(name, takes, seen), most)
    own, others = _likeness(takes, seen)
    yield at_least("voices named right", float((own > others.max(1)).mean()), 0.95)
    yield at_least("AUC of the voice that speaks against all others", auc(own, others.ravel()), 0.98)
    for gain_db in GAINS_DB:
        louder = (takes.sound() * 10 ** (gain_db / 20)).astype(np.float32)
        moved = _likeness(takes, hear(kit, seen, louder))[0].mean() - own.mean()
        yield at_most(f"gain {gain_db:+.0f} dB moves voice_sim by", float(abs(moved)), 0.05)
    sound = takes.sound()
    level = np.sqrt((sound**2).mean(1, keepdims=True)) * 10 ** (-NOISE_DB / 20)
    hiss = (level * np.random.default_rng(0).standard_normal(sound.shape)).astype(np.float32)
    moved = _likeness(takes, hear(kit, seen, sound + hiss))[0].mean() - own.mean()
    yield info(f"noise at {NOISE_DB:.0f} dB SNR moves voice_sim by", float(moved))


def _value(name: str, takes: Takes, seen: Observation) -> float:
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    found = metric.compute(seen, seen, takes.prompts()).value
    return float("nan") if found is None else found


def _likeness(takes: Takes, seen: Observation) -> tuple[FloatArray, FloatArray]:
    """Of the voice that speaks [clips], and of all others [clips, voices - 1]."""
    clips = np.arange(len(takes.voice))
    found = seen.voice.likeness
    other = np.ones(found.shape, dtype=np.bool_)
    other[clips, takes.voice] = False
    return found[clips, takes.voice], found[other].reshape(len(clips), -1)
