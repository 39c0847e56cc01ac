"""Seams between chunks, and films that repeat themselves."""

from __future__ import annotations

import numpy as np

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ
from mfbench.metrics.base import Double, FloatArray, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.drift_signals import no_scores
from mfbench.metrics.observe import Observation
from mfbench.metrics.picture_quality import FROZEN
from mfbench.registry import METRICS

_RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
_LEAST_BORDERS = 3
_MOVES_SHARE = 0.75  # of the steps inside chunks, of a film that moves; at half its rate one has half of them
_LEAST_CHANGE = 1e-9
_LEVEL_STILL_DB = 0.1  # of neighbouring frames of a hum
_REPEAT_AFTER_S = 2.0
_WINDOWS_PER_S = 1 / 0.32


def jump_at_borders(change: FloatArray, rate_hz: float, chunk_s: float, still: float = 0.0) -> Double:
    """Mean change across chunk borders over the typical change inside chunks, [clips]; 1 = no seam.

    Where nothing moves there is no ratio (nan): neither at the borders nor inside is 0/0, and says nothing of
    seams. Chunks that stand still but for jumps at their borders have a ratio to `still`, the least that
    counts as a change. Borders at which a film that otherwise moves always stands still are seams too, with
    the ratio 0; where much of the film stands still, that its borders do is no evidence, and there is none.

    Args:
        change: between neighbouring frames, [clips, frames - 1].
        rate_hz: of the frames.
        chunk_s: length of a chunk; a border lies nearest to every multiple of it.
        still: changes up to here are none: what a codec leaves of equal frames.
    """
    count = change.shape[1] + 1
    borders = np.round(np.arange(chunk_s, (count - 0.5) / rate_hz, chunk_s) * rate_hz).astype(np.int64) - 1
    borders = borders[borders < change.shape[1]]
    if len(borders) < _LEAST_BORDERS:
        return np.full(len(change), np.nan)
    inside = np.delete(change, borders, axis=1)
    within, across = _mean_of_moves(inside, still), _mean_of_moves(change[:, borders], still)
    ratio = across / np.maximum(np.maximum(within, still), _LEAST_CHANGE)
    moves = (inside > still).mean(1) >= _MOVES_SHARE
    known = np.where(within > 0, (across > 0) | moves, (across > 0) & (still > 0))
    return np.where(known, ratio, np.nan)


def _mean_of_moves(change: FloatArray, still: float) -> Double:
    """Mean of what changes, 0 where nothing does: films of a lower rate stand still between their frames."""
    moves = change > still
    total = np.where(moves, change, 0).sum(1, dtype=np.float64)
    return np.asarray(total / np.maximum(moves.sum(1), 1), dtype=np.float64)


@METRICS.register_module(name="boundary_jump_v")
class BoundaryJumpVideo(Metric):
    """Change of the picture across chunk borders over the change inside chunks: 1 = no seam."""

    name = "boundary_jump_v"
    version = 2
    unit = "ratio"
    low = 0.0
    needs = ("chunks",)
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Ratio per clip; not applicable where the chunks are not known, and to what does not change."""
        del reference, prompts
        if candidate.chunk_s is None:
            return no_scores(candidate)
        change, rate_hz = candidate.picture.change, candidate.frame_rate_hz
        return MeanScores.of(jump_at_borders(change, rate_hz, candidate.chunk_s, FROZEN), candidate.intact)

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
    version = 2
    unit = "ratio"
    low = 0.0
    needs = ("sound", "chunks")
    least_s = 1.28

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Ratio per clip; not applicable where the chunks are not known, and to what does not change."""
        del reference, prompts
        if candidate.chunk_s is None:
            return no_scores(candidate)
        change = np.abs(np.diff(candidate.level_db, axis=1))
        found = jump_at_borders(change, _RATE_HZ, candidate.chunk_s, _LEVEL_STILL_DB)
        return MeanScores.of(found, candidate.intact)


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
    """Largest correlation of windows [windows, values] so many places apart; 1 if one is like all others."""
    centred = windows - windows.mean(0)
    norm = np.linalg.norm(centred, axis=1)
    if (norm < 1e-6).any():
        return 1.0
    likeness = (centred @ centred.T) / np.outer(norm, norm)
    return float(likeness[np.triu_indices(len(windows), apart)].max())
