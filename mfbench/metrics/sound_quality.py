"""What sound is like, whatever it says; needs the waveform, which a model of mel spectra does not make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ
from mfbench.metrics.base import (
    Double,
    FloatArray,
    MeanScores,
    Metric,
    Prompts,
    Scores,
    once_per_observation,
)
from mfbench.metrics.observe import Observation
from mfbench.metrics.sound_signals import SoundSignals
from mfbench.registry import METRICS

SILENT_DB = -50.0
RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
_WINDOW = 128  # frames of 20 ms
_SLOWEST_HZ, _FASTEST_HZ = 1.0, 16.0


def of_sound(observation: Observation, measure: Callable[[SoundSignals], FloatArray]) -> Scores:
    """A value per clip, or not applicable where there is no waveform."""
    if observation.sound is None:
        return MeanScores.of(np.full(observation.clips, np.nan), observation.intact)
    return MeanScores.of(measure(observation.sound), observation.intact)


@METRICS.register_module(name="clip_rate")
class ClipRate(Metric):
    """Share of samples at full scale: distortion by clipping."""

    name = "clip_rate"
    unit = "share"
    higher_is_better = False
    low, high, worst = 0.0, 1.0, 1.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference, prompts
        return of_sound(candidate, lambda sound: sound.full_scale.mean(1))


@METRICS.register_module(name="silence_frac")
class SilenceFraction(Metric):
    """Share of the time below -50 dB of full scale; closeness to real is what counts."""

    name = "silence_frac"
    unit = "share"
    low, high = 0.0, 1.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference, prompts
        return of_sound(candidate, lambda sound: (sound.level_db < SILENT_DB).mean(1, dtype=np.float32))


@METRICS.register_module(name="dc")
class DirectCurrent(Metric):
    """Size of the mean of the samples: an offset that a loudspeaker cannot play."""

    name = "dc"
    higher_is_better = False
    low, high, worst = 0.0, 1.0, 1.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Size per clip."""
        del reference, prompts
        return of_sound(candidate, lambda sound: np.abs(sound.offset.mean(1)))


@METRICS.register_module(name="click_rate")
class ClickRate(Metric):
    """Frames with a sudden step per second, as seams between chunks make them."""

    name = "click_rate"
    version = 2
    unit = "1/s"
    higher_is_better = False
    low = 0.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Rate per clip."""
        del reference, prompts
        return of_sound(candidate, lambda sound: sound.click.mean(1, dtype=np.float32) * np.float32(RATE_HZ))


@METRICS.register_module(name="snr_est")
class EstimatedSNR(Metric):
    """Level of loud over level of quiet frames (95th and 5th percentile): low is noise or a drone."""

    name = "snr_est"
    unit = "dB"
    low = 0.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Difference per clip."""
        del reference, prompts
        return of_sound(candidate, _spread_db)


def _spread_db(sound: SoundSignals) -> FloatArray:
    quiet, loud = np.percentile(sound.level_db, (5, 95), axis=1)
    return np.asarray(loud - quiet, dtype=np.float32)


@METRICS.register_module(name="modulation_dist")
class ModulationDistance(Metric):
    """Distance of the rhythm of loudness (1 to 16 Hz, syllables are 3 to 6) from that of real sound."""

    name = "modulation_dist"
    higher_is_better = False
    low, high, worst = 0.0, 2.0, 2.0
    least_s = 2.56
    needs = ("sound", "reference")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Sum of absolute differences of normalised spectra, per clip."""
        del prompts
        if candidate.sound is None or reference.sound is None or candidate.duration_s < self.least_s:
            return MeanScores.of(np.full(candidate.clips, np.nan), candidate.intact)
        real = rhythm(reference)[reference.intact].mean(0)
        return MeanScores.of(np.abs(rhythm(candidate) - real).sum(1), candidate.intact)


@once_per_observation
def rhythm(observation: Observation) -> Double:
    """Power of the changes of level per frequency, summing to one, [clips, frequencies]."""
    assert observation.sound is not None
    level = np.maximum(observation.sound.level_db.astype(np.float64), SILENT_DB)
    windows = np.lib.stride_tricks.sliding_window_view(level, _WINDOW, axis=1)[:, :: _WINDOW // 2]
    tapered = (windows - windows.mean(-1, keepdims=True)) * np.hanning(_WINDOW)
    power = (np.abs(np.fft.rfft(tapered, axis=-1)) ** 2).mean(1)
    hz = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    kept = power[:, (hz >= _SLOWEST_HZ) & (hz <= _FASTEST_HZ)]
    return np.asarray(kept / np.maximum(kept.sum(1, keepdims=True), 1e-9))
