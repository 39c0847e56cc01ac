"""Who is seen, whether a mouth is seen, how much moves, and how loud it is."""

from __future__ import annotations

import numpy as np

from mfbench.character.face import MOTION_PARAMETERS, RANGES
from mfbench.metrics.base import MeanScores, Metric, Prompts, Scores
from mfbench.metrics.level import mean_level_db
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS


@METRICS.register_module(name="id_sim_lite")
class IdentitySimilarity(Metric):
    """Cosine between the identity seen in the frames and the one asked for; 1 = the same."""

    name = "id_sim_lite"
    low, high, worst = -1.0, 1.0, 0.0
    unit = "cos"
    higher_is_better = True
    needs = ("character", "identity")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean over the frames of a clip."""
        del reference
        rows = np.arange(candidate.clips)
        return MeanScores.of(candidate.face.likeness[rows, :, prompts.identity].mean(1), candidate.intact)


@METRICS.register_module(name="mouth_detect_rate")
class MouthDetectRate(Metric):
    """Share of frames whose mouth region looks like a mouth that the reader knows: gate of `sync_*`."""

    name = "mouth_detect_rate"
    version = 2  # empty pictures are no faces
    low, high, worst = 0.0, 1.0, 0.0
    unit = "share"
    higher_is_better = True
    needs = ("character",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference, prompts
        return MeanScores.of(candidate.face.mouth.mean(1), candidate.intact)


@METRICS.register_module(name="motion_magnitude")
class MotionMagnitude(Metric):
    """Mean speed of all motion parameters, in legal ranges per second; a still face has 0."""

    name = "motion_magnitude"
    unit = "1/s"
    needs = ("character",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Mean per clip."""
        del reference, prompts
        ranges = np.array([high - low for low, high in (RANGES[name] for name in MOTION_PARAMETERS)])
        speed = np.abs(np.diff(candidate.face.motion, axis=1)) * candidate.frame_rate_hz / ranges
        return MeanScores.of(speed.mean((1, 2)), candidate.intact)


@METRICS.register_module(name="loudness_db")
class Loudness(Metric):
    """Loudness of the clip in dB of full scale, read from log-mel; silence is far below -60."""

    name = "loudness_db"
    unit = "dB"
    needs = ("sound",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Level per clip."""
        del reference, prompts
        return MeanScores.of(mean_level_db(candidate.level_db), candidate.intact)


@METRICS.register_module(name="attr_acc")
class AttributeAccuracy(Metric):
    """Share of frames whose nearest known character is the one asked for (hair, shape, colours)."""

    name = "attr_acc"
    unit = "share"
    higher_is_better = True
    low, high, worst = 0.0, 1.0, 0.0
    needs = ("character", "identity")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference
        named = candidate.face.likeness.argmax(-1) == prompts.identity[:, None]
        return MeanScores.of(named.mean(1), candidate.intact)


@METRICS.register_module(name="render_valid")
class RenderValid(Metric):
    """Share of frames that a drawn face explains: the validity of everything that is read from a face."""

    name = "render_valid"
    version = 2  # empty pictures are no faces
    unit = "share"
    higher_is_better = True
    low, high, worst = 0.0, 1.0, 0.0
    needs = ("character",)

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Share per clip."""
        del reference, prompts
        return MeanScores.of(candidate.face.drawn.mean(1), candidate.intact)
