"""Whether the voice that was asked for is heard."""

from __future__ import annotations

import numpy as np

from mfbench.character.voices import VOICES
from mfbench.metrics.base import Double, MeanScores, Metric, Prompts, RootScores, Scores
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.metrics.readers.voice import LEAST_VOICED_S
from mfbench.registry import METRICS


@METRICS.register_module(name="voice_sim")
class VoiceSimilarity(Metric):
    """Cosine between the voice heard and the one asked for; 1 = the same, others about 0, near ones to 0.75.

    Source: the usual similarity of speakers (cosine of embeddings with an enrolled voice), here with the
    discriminant of `readers.voice` in the place of a network. It hears spectrum and pitch, not the words.
    """

    name = "voice_sim"
    unit = "cos"
    higher_is_better = True
    null_by_shuffling = True
    low, high, worst = -1.0, 1.0, 0.0
    least_s = 1.28
    needs = ("sound", "voice")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; one with less than 0.32 s of voice has none."""
        del reference
        found = candidate.voice.likeness[np.arange(candidate.clips), prompts.voice]
        return MeanScores.of(np.where(prompts.voice >= 0, found, np.nan), candidate.intact)


@METRICS.register_module(name="f0_rmse_st")
class PitchError(Metric):
    """Root mean squared distance in semitones of a clip's median pitch from the pitch of the voice asked for.

    A condition says who speaks and what, not when, so it gives no contour to compare with, only the voice's
    mean pitch, around which real contours move. Per clip: the median over voiced frames of the pitch that
    `sound_signals` hears, against `Voice.f0_hz`; over clips: root of the mean square. An octave error of
    single frames leaves the median where it is; where most frames of a clip are an octave off, whether they
    are spoken or misheard so, the clip counts with 12 semitones. Pitch is heard from 60 to 400 Hz, which
    keeps every error below 26. It is read from the waveform: where only a mel is there, nothing is heard.
    """

    name = "f0_rmse_st"
    unit = "semitones"
    higher_is_better = False
    null_by_shuffling = True
    low, high, worst = 0.0, 26.0, 26.0
    least_s = 1.28
    needs = ("sound", "voice")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Squared distance per clip; one with less than 0.32 s of pitch has none."""
        del reference
        asked = np.array([voice.f0_hz for voice in VOICES])[prompts.voice]
        distance = 12 * np.log2(_median_pitch_hz(candidate) / asked)
        usable = candidate.intact & np.isfinite(distance) & (prompts.voice >= 0)
        return RootScores(usable, distance**2, np.ones(candidate.clips))

    @staticmethod
    def self_test() -> None:
        """One voice an octave too high and one as it should be: the root of half of 12 squared."""
        both = RootScores(np.ones(2, dtype=np.bool_), np.array([144.0, 0.0]), np.ones(2))
        found = both.value(np.arange(2))
        if found is None or abs(found - 72**0.5) > 1e-9:
            raise AssertionError(f"12 and 0 semitones have a root mean square of {found}")


def _median_pitch_hz(observation: Observation) -> Double:
    """Of the voiced frames of every clip, [clips]; nan where they are too few or there is no waveform."""
    found = np.full(observation.clips, np.nan)
    if observation.sound is None:
        return found
    for clip, pitch_hz in enumerate(observation.sound.pitch_hz):
        voiced = pitch_hz[np.isfinite(pitch_hz)]
        if len(voiced) >= round(LEAST_VOICED_S * MEL_RATE_HZ):
            found[clip] = np.median(voiced)
    return found
