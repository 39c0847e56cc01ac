"""What sound is like, whatever it says.

Loudness is that of the mel, which a run has as well as a film. The metrics of samples need a waveform: in a
run generation ends at mel, and what a vocoder makes of it would say more about the vocoder.
"""

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
from mfbench.metrics.level import AUDIBLE_DB
from mfbench.metrics.observe import Observation
from mfbench.metrics.sound_signals import SoundSignals
from mfbench.registry import METRICS

RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
_WINDOW = 128  # frames of 20 ms
_SLOWEST_HZ, _FASTEST_HZ = 1.0, 16.0


def of_sound(observation: Observation, measure: Callable[[SoundSignals], FloatArray]) -> Scores:
    """A value of samples per clip, or not applicable where there is no waveform."""
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
    version = 2
    unit = "share"
    low, high = 0.0, 1.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference, prompts
        silent = (candidate.level_db < AUDIBLE_DB).mean(1, dtype=np.float64)
        return MeanScores.of(silent, candidate.intact)


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
    version = 2
    unit = "dB"
    low = 0.0
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Difference per clip."""
        del reference, prompts
        quiet, loud = np.percentile(candidate.level_db, (5, 95), axis=1)
        return MeanScores.of(loud - quiet, candidate.intact)


@METRICS.register_module(name="modulation_dist")
class ModulationDistance(Metric):
    """Distance of the rhythm of loudness (1 to 16 Hz, syllables are 3 to 6) from that of real sound."""

    name = "modulation_dist"
    version = 2
    higher_is_better = False
    low, high, worst = 0.0, 2.0, 2.0
    least_s = 2.56
    needs = ("sound", "reference")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Sum of absolute differences of normalised spectra, per clip."""
        del prompts
        if candidate.duration_s < self.least_s:
            return MeanScores.of(np.full(candidate.clips, np.nan), candidate.intact)
        real = rhythm(reference)[reference.intact].mean(0)
        return MeanScores.of(np.abs(rhythm(candidate) - real).sum(1), candidate.intact)


@once_per_observation
def rhythm(observation: Observation) -> Double:
    """Power of the changes of level per frequency, summing to one, [clips, frequencies]."""
    level = np.maximum(observation.level_db.astype(np.float64), AUDIBLE_DB)
    windows = np.lib.stride_tricks.sliding_window_view(level, _WINDOW, axis=1)[:, :: _WINDOW // 2]
    tapered = (windows - windows.mean(-1, keepdims=True)) * np.hanning(_WINDOW)
    power = (np.abs(np.fft.rfft(tapered, axis=-1)) ** 2).mean(1)
    hz = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    kept = power[:, (hz >= _SLOWEST_HZ) & (hz <= _FASTEST_HZ)]
    return np.asarray(kept / np.maximum(kept.sum(1, keepdims=True), 1e-9))
