"""Lip sync as the learned judges see it; independent of the readers of mouth shapes."""

from __future__ import annotations

import numpy as np

from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.judges.moments import MAX_LAG
from mfbench.metrics.observe import Observation
from mfbench.metrics.sync import has_speech_and_motion
from mfbench.registry import METRICS

_APART = 10  # mel frames: 200 ms away is out of sync for anyone


def confidence(curves: FloatArray) -> FloatArray:
    """Peak minus median over the lags, [..., lags] => [...]."""
    return np.asarray(curves.max(-1) - np.median(curves, axis=-1))


def offset_ms(curves: FloatArray) -> FloatArray:
    """Lag of the peak in ms, refined by a parabola; positive = the sound leads."""
    peak = np.clip(curves.argmax(-1), 1, curves.shape[-1] - 2)
    before, at, after = (np.take_along_axis(curves, (peak + k)[..., None], -1)[..., 0] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    part = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
    return np.asarray(-20.0 * (peak - MAX_LAG + np.clip(part, -1, 1)), dtype=np.float32)


def speaking_only(values: FloatArray, observation: Observation) -> Double:
    """nan where a clip is silent or still."""
    seen, speech = observation.face.motion[..., :2], observation.speech.speech
    return np.where(has_speech_and_motion(seen, speech), values, np.nan).astype(np.float64)


@METRICS.register_module(name="sync_cca")
class SyncCCA(Metric):
    """Peak minus median likeness over lags by canonical correlation of mouth pictures and sound."""

    name = "sync_cca"
    higher_is_better = True
    null_by_shuffling = True
    worst = 0.0
    least_s = 2.56

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        values = confidence(candidate.judged.cca_curves())
        return MeanScores.of(speaking_only(values, candidate), candidate.intact)


@METRICS.register_module(name="sync_lite_c")
class SyncLiteC(Metric):
    """Peak minus median likeness over lags by three contrastive networks, their mean."""

    name = "sync_lite_c"
    higher_is_better = True
    null_by_shuffling = True
    worst = 0.0
    least_s = 2.56

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        values = confidence(candidate.judged.net_curves()).mean(1)
        return MeanScores.of(speaking_only(values, candidate), candidate.intact)


@METRICS.register_module(name="sync_lite_auc")
class SyncLiteAUC(Metric):
    """How often the contrastive judges prefer the sound of the moment to sound 200 ms and more away."""

    name = "sync_lite_auc"
    unit = "share"
    higher_is_better = True
    null_by_shuffling = True
    low, high, worst = 0.0, 1.0, 0.5
    least_s = 2.56

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share of the far lags per clip, mean over judges; silent or still clips have none."""
        del reference, prompts
        curves = candidate.judged.net_curves()
        far = np.abs(np.arange(curves.shape[-1]) - MAX_LAG) >= _APART
        values = (curves[..., MAX_LAG, None] > curves[..., far]).mean(-1).mean(1)
        return MeanScores.of(speaking_only(values.astype(np.float32), candidate), candidate.intact)
