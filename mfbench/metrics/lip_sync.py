"""Metrics of lip sync, from the curves of `sync`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfbench.metrics.base import FloatArray, MeanScores, Metric, Prompts, Scores, once_per_observation
from mfbench.metrics.observe import Observation
from mfbench.metrics.sync import SyncCurves, sync_curves
from mfbench.registry import METRICS

_NULL_ROLLS = 5
ITU_MS = (-125.0, 45.0)  # detectability; positive = the sound leads
_LEAST_RANGE = 0.05  # of real minus unrelated confidence, below which normalising would blow up noise


@once_per_observation
def curves(observation: Observation) -> SyncCurves:
    """Correlation against lag of every clip."""
    return rolled_curves(observation, 0)


def rolled_curves(observation: Observation, roll: int) -> SyncCurves:
    """Every video against the sound of the clip `roll` places before it."""
    return sync_curves(
        observation.face.motion[..., :2],
        np.roll(observation.speech.mouth[..., :2], roll, axis=0),
        np.roll(observation.speech.speech, roll, axis=0),
        observation.frame_rate_hz,
    )


@dataclass(frozen=True)
class Anchors:
    """Confidence of unrelated pairs and of real pairs."""

    null: float
    real: float


@once_per_observation
def anchors(reference: Observation) -> Anchors:
    """Mean confidence over 5 ways of pairing the reference wrongly, and the median of the right one."""
    rolls = range(1, min(_NULL_ROLLS, reference.clips - 1) + 1)
    wrong = [rolled_curves(reference, roll).confidence() for roll in rolls]
    return Anchors(_finite_mean(wrong), float(np.nanmedian(curves(reference).confidence())))


def _finite_mean(parts: list[FloatArray]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


@METRICS.register_module(name="sync_corr")
class SyncCorr(Metric):
    """Correlation of the mouth seen and the mouth heard at the same time (no lag is forgiven)."""

    name = "sync_corr"
    low, high, worst = -1.0, 1.0, 0.0
    least_s = 1.28
    unit = "r"
    higher_is_better = True
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(curves(candidate).at_zero(), candidate.intact)


@METRICS.register_module(name="sync_c")
class SyncC(Metric):
    """Peak minus median correlation over lags of +-0.64 s; chance is positive, see `sync_c_norm`."""

    name = "sync_c"
    low, high, worst = 0.0, 2.0, 0.0
    least_s = 1.28
    unit = "r"
    higher_is_better = True
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(curves(candidate).confidence(), candidate.intact)


@METRICS.register_module(name="sync_c_norm")
class SyncCNorm(Metric):
    """`sync_c` on a scale where unrelated pairs of real clips are 0 and real pairs are 1."""

    name = "sync_c_norm"
    worst = 0.0
    least_s = 1.28
    needs = ("character", "sound", "reference")
    higher_is_better = True
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; not applicable where the reference cannot tell related from unrelated."""
        del prompts
        known = anchors(reference)
        reach = known.real - known.null
        scale = 1 / reach if reach > _LEAST_RANGE else float("nan")
        confidence = curves(candidate).confidence()
        return MeanScores.of((confidence - known.null) * scale, candidate.intact)


@METRICS.register_module(name="av_offset_ms")
class AVOffset(Metric):
    """Mean offset between sound and picture; positive = the sound LEADS. Best is 0."""

    name = "av_offset_ms"
    low, high = -640.0, 640.0
    least_s = 1.28
    unit = "ms"
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(curves(candidate).offset_ms(), candidate.intact)

    @staticmethod
    def self_test() -> None:
        """Sound moved 80 ms earlier reads as +80 ms."""
        times = np.arange(-1, 6, 0.02, dtype=np.float32) + np.float32(0.01)
        track = (0.5 + 0.3 * np.sin(7 * times) + 0.2 * np.sin(17.3 * times))[None, :, None]
        heard = np.repeat(track, 2, axis=2)
        seen = heard[:, 50:306].reshape(1, 64, 4, 2).mean(2)
        speech = np.ones((1, 256), np.float32)
        found = float(sync_curves(seen, heard[:, 54:310], speech, 12.5).offset_ms()[0])
        if abs(found - 80) > 8:
            raise AssertionError(f"sound 80 ms early reads as {found:.0f} ms, wanted +80 ms")


@METRICS.register_module(name="av_offset_abs_ms")
class AVOffsetAbs(Metric):
    """Mean size of the offset between sound and picture, whichever leads."""

    name = "av_offset_abs_ms"
    low, high, worst = 0.0, 640.0, 640.0
    least_s = 1.28
    unit = "ms"
    higher_is_better = False
    null_by_shuffling = True

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(np.abs(curves(candidate).offset_ms()), candidate.intact)


@METRICS.register_module(name="sync_d")
class SyncD(Metric):
    """Smallest distance sqrt(2 (1 - r)) of the mouth seen and the mouth heard over lags of +-0.64 s."""

    name = "sync_d"
    higher_is_better = False
    null_by_shuffling = True
    low, high, worst = 0.0, 2.0, 2.0
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(_distance(curves(candidate).correlation.max(1)), candidate.intact)


@METRICS.register_module(name="sync_d0")
class SyncD0(Metric):
    """Distance sqrt(2 (1 - r)) of the mouth seen and the mouth heard at the same time: what a viewer gets."""

    name = "sync_d0"
    higher_is_better = False
    null_by_shuffling = True
    low, high, worst = 0.0, 2.0, 2.0
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip; silent or still clips have none."""
        del reference, prompts
        return MeanScores.of(_distance(curves(candidate).at_zero()), candidate.intact)


def _distance(correlation: FloatArray) -> FloatArray:
    """Between two normalised tracks of this correlation, per unit of time."""
    return np.asarray(np.sqrt(2 * np.maximum(1 - correlation, 0)))


@METRICS.register_module(name="sync_itu_pass")
class SyncITUPass(Metric):
    """Share of clips whose offset viewers do not notice: sound 125 ms late to 45 early (ITU-R BT.1359)."""

    name = "sync_itu_pass"
    unit = "share"
    higher_is_better = True
    null_by_shuffling = True
    low, high, worst = 0.0, 1.0, 0.0
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """1 or 0 per clip; silent or still clips have none."""
        del reference, prompts
        offset = curves(candidate).offset_ms()
        unnoticed = ((offset >= ITU_MS[0]) & (offset <= ITU_MS[1])).astype(np.float64)
        return MeanScores.of(np.where(np.isfinite(offset), unnoticed, np.nan), candidate.intact)
