"""Distances between all candidate films and the reference films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfbench.bench.scoring.intervals import SET_REPLICATES, interval
from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.total import Total, total_of_many
from mfbench.metrics.base import BoolArray, EmbeddedClips, IntArray, SetMetric
from mfbench.metrics.distances import ClipSets

MODALITIES = ("video", "audio", "joint")


def total_of_sets(
    metric: SetMetric,
    films: Sequence[FilmResult],
    reference: Sequence[FilmResult],
    cluster: IntArray,
    protocol: str,
) -> Total:
    """The distance and its interval."""
    needed = MODALITIES if "sound" in metric.needs else ("video",)
    usable = np.array([all(name in film.features.points for name in needed) for film in films])
    real = [film for film in reference if all(name in film.features.points for name in needed)]
    value, low, high, n = None, None, None, int(usable.sum())
    if usable.sum() >= 2 and len(real) >= 2:
        kept = np.flatnonzero(usable)
        candidate = [film for film, good in zip(films, usable, strict=True) if good]
        scores = metric.set_scores(_embedded(candidate), _embedded(real), cluster[kept])
        value = scores.value(np.arange(len(kept)))
        low, high = interval(scores, value, cluster[kept], SET_REPLICATES)
        n = int(scores.usable.sum())  # some want longer films than others
    return total_of_many(
        metric, films, (value, low, high), n, protocol, _reason(int(usable.sum()), len(real))
    )


def _reason(candidates: int, real: int) -> str:
    return (
        f"{candidates} films and {real} of the reference have what is compared "
        "(a face that the readers know, and sound where it is heard); they are too few"
    )


def _embedded(films: Sequence[FilmResult]) -> EmbeddedClips:
    """Embeddings of films; those of sound stand in for nothing where only pictures are compared."""

    def sets(name: str) -> ClipSets:
        return ClipSets.of([film.features.points.get(name, film.features.points["video"]) for film in films])

    intact: BoolArray = np.ones(len(films), dtype=np.bool_)
    return EmbeddedClips(sets("video"), sets("audio"), sets("joint"), intact)
