"""Seams between chunks, and films that repeat themselves."""

from __future__ import annotations

import numpy as np

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ
from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.drift_signals import no_scores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

_RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
_LEAST_BORDERS = 3
_REPEAT_AFTER_S = 2.0
_WINDOWS_PER_S = 1 / 0.32


def jump_at_borders(change: FloatArray, rate_hz: float, chunk_s: float) -> Double:
    """Mean change across chunk borders over the typical change inside chunks, [clips]; 1 = no seam.

    Args:
        change: between neighbouring frames, [clips, frames - 1].
        rate_hz: of the frames.
        chunk_s: length of a chunk; a border lies nearest to every multiple of it.
    """
    count = change.shape[1] + 1
    borders = np.round(np.arange(chunk_s, (count - 0.5) / rate_hz, chunk_s) * rate_hz).astype(np.int64) - 1
    borders = borders[borders < change.shape[1]]
    if len(borders) < _LEAST_BORDERS:
        return np.full(len(change), np.nan)
    inside = np.delete(change, borders, axis=1)
    # the mean of what changes: films of a lower rate stand still between their frames
    moving = np.where(inside > 0, inside, 0).sum(1) / np.maximum((inside > 0).sum(1), 1)
    at = change[:, borders]
    crossing = np.where(at > 0, at, 0).sum(1) / np.maximum((at > 0).sum(1), 1)
    return np.where(moving > 0, crossing / np.where(moving > 0, moving, 1), np.nan)


@METRICS.register_module(name="boundary_jump_v")
class BoundaryJumpVideo(Metric):
    """Change of the picture across chunk borders over the change inside chunks: 1 = no seam."""

    name = "boundary_jump_v"
    unit = "ratio"
    needs = ("chunks",)
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Ratio per clip; not applicable where the chunks are not known."""
        del reference, prompts
        if candidate.chunk_s is None:
            return no_scores(candidate)
        found = jump_at_borders(candidate.picture.change, candidate.frame_rate_hz, candidate.chunk_s)
        return MeanScores.of(found, candidate.intact)

    @staticmethod
    def self_test() -> None:
        """Borders that change three times as much have the ratio 3."""
        change = np.ones((1, 63), np.float32)
        change[:, 7::8] = 3.0
        found = float(jump_at_borders(change, 25.0, 0.32)[0])
        if abs(found - 3) > 1e-6:
            raise AssertionError(f"borders that jump threefold read as {found}")


@METRICS.register_module(name="boundary_jump_a")
class BoundaryJumpAudio(Metric):
    """Change of loudness across chunk borders over the change inside chunks: 1 = no seam."""

    name = "boundary_jump_a"
    unit = "ratio"
    needs = ("sound", "chunks")
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Ratio per clip; not applicable where the chunks are not known."""
        del reference, prompts
        if candidate.chunk_s is None:
            return no_scores(candidate)
        change = np.abs(np.diff(candidate.level_db, axis=1))
        return MeanScores.of(jump_at_borders(change, _RATE_HZ, candidate.chunk_s), candidate.intact)


@METRICS.register_module(name="repetition")
class Repetition(Metric):
    """Largest likeness (correlation) of two windows of a film at least 2 s apart: near 1 it is a loop."""

    name = "repetition"
    unit = "r"
    high = 1.0
    null_by_shuffling = True
    least_s = 5.12

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Per clip."""
        del reference, prompts
        joint = candidate.windows.joint
        apart = int(np.ceil(_REPEAT_AFTER_S * _WINDOWS_PER_S))
        if joint.shape[1] <= apart or candidate.duration_s < self.least_s:
            return no_scores(candidate)
        return MeanScores.of(np.array([_closest(clip, apart) for clip in joint]), candidate.intact)


def _closest(windows: FloatArray, apart: int) -> float:
    """Largest correlation of windows [windows, values] that many places apart; nan where all are equal."""
    centred = windows - windows.mean(0)
    norm = np.linalg.norm(centred, axis=1)
    if (norm < 1e-6).any():
        return 1.0  # a window that is like all others
    likeness = (centred @ centred.T) / np.outer(norm, norm)
    return float(likeness[np.triu_indices(len(windows), apart)].max())
