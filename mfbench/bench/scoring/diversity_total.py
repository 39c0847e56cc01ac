"""How much films of one prompt differ between seeds, where a manifest names prompts and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfbench.bench.scoring.intervals import REPLICATES, interval
from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.total import Total, total_of_many
from mfbench.data.manifest import ClipEntry
from mfbench.metrics.base import IntArray, Metric, Prompts
from mfbench.metrics.diversity import PairScores, pair_scores
from mfbench.metrics.observe import FloatArray

MOST_SEEDS = 32  # of a prompt, as the pairs grow with their square


def total_of_diversity(
    metric: Metric,
    films: Sequence[FilmResult],
    entries: Sequence[ClipEntry],
    cluster: IntArray,
    protocol: str,
) -> Total:
    """Mean distance over pairs, from equally many windows of every film: those that the shortest has.

    Of a prompt with more than 32 films the first 32 are compared; intervals resample prompts.
    """
    modality = "audio" if "sound" in metric.needs else "video"
    chosen = _comparable(films, entries, cluster, modality)
    value, low, high = None, None, None
    if len(chosen):
        scores = _pairs([films[i].features.points[modality] for i in chosen], entries, cluster, chosen)
        value = scores.value(np.arange(len(chosen)))
        low, high = interval(scores, value, cluster[chosen], REPLICATES)
    return total_of_many(metric, films, (value, low, high), len(chosen), protocol, _reason(entries))


def _comparable(
    films: Sequence[FilmResult], entries: Sequence[ClipEntry], cluster: IntArray, modality: str
) -> IntArray:
    """Films with an embedding whose prompt has another such film of another seed."""
    members: dict[int, list[int]] = {}
    for index, (film, entry) in enumerate(zip(films, entries, strict=True)):
        if entry.prompt_id is not None and entry.seed is not None and modality in film.features.points:
            members.setdefault(int(cluster[index]), []).append(index)
    several = [found[:MOST_SEEDS] for found in members.values() if len({entries[i].seed for i in found}) > 1]
    return np.array(sorted(i for found in several for i in found), dtype=np.int64)


def _pairs(
    points: Sequence[FloatArray], entries: Sequence[ClipEntry], cluster: IntArray, chosen: IntArray
) -> PairScores:
    windows = min(len(film) for film in points)
    count = len(chosen)
    prompts = Prompts(
        timelines=(None,) * count,
        voice=np.full(count, -1),
        identity=np.full(count, -1),
        prompt=cluster[chosen],
        seed=np.array([entries[i].seed for i in chosen]),
    )
    stacked = np.stack([film[:windows] for film in points])
    return pair_scores(stacked, prompts, np.ones(count, dtype=np.bool_))


def _reason(entries: Sequence[ClipEntry]) -> str:
    if all(entry.prompt_id is None or entry.seed is None for entry in entries):
        return "no manifest with prompt_id and seed"
    return "no prompt has two films of different seeds with the face and sound that are compared"
