"""How different clips of one prompt are between sampling seeds: what few-step distillation tends to lose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfbench.metrics.base import BoolArray, Double, FloatArray, IntArray, Metric, Prompts, Scores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS


@dataclass(frozen=True)
class PairScores(Scores):
    """A mean over pairs of clips.

    Attributes:
        distances: [clips, clips].
        pairs: which of them are of one prompt and different seeds.
    """

    distances: Double
    pairs: BoolArray

    def value_of(self, clips: IntArray) -> float | None:
        """Mean over the pairs in the sample."""
        chosen = np.ix_(clips, clips)
        pairs = self.pairs[chosen]
        return float(self.distances[chosen][pairs].mean()) if pairs.any() else None

    def per_clip(self) -> list[float | None]:
        """Mean distance of a clip to the others of its prompt."""
        counts = self.pairs.sum(1)
        sums = np.where(self.pairs, self.distances, 0).sum(1)
        return [float(s / n) if n else None for s, n in zip(sums, counts, strict=True)]


def pair_scores(points: FloatArray, prompts: Prompts, intact: BoolArray) -> PairScores:
    """Mean distance of simultaneous windows [clips, windows, values] of clips of one prompt."""
    same = prompts.prompt[:, None] == prompts.prompt[None]
    pairs = same & (prompts.seed[:, None] != prompts.seed[None]) & intact[:, None] & intact[None]
    distances = np.zeros(pairs.shape)
    first, second = np.nonzero(pairs)
    distances[first, second] = np.linalg.norm(points[first] - points[second], axis=-1).mean(1)
    return PairScores(pairs.any(1), distances, pairs)


@METRICS.register_module(name="diversity_v")
class DiversityVideo(Metric):
    """Distance of the video of one prompt between sampling seeds; needs at least two seeds in the sample."""

    name = "diversity_v"
    needs = ("character", "seeds")
    unit = "sd"

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Distances of pairs."""
        del reference
        return pair_scores(candidate.windows.video, prompts, candidate.intact)


@METRICS.register_module(name="diversity_a")
class DiversityAudio(Metric):
    """Distance of the sound of one prompt between sampling seeds; needs at least two seeds in the sample."""

    name = "diversity_a"
    needs = ("character", "sound", "seeds")
    unit = "sd"

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Distances of pairs."""
        del reference
        return pair_scores(candidate.windows.audio, prompts, candidate.intact)
