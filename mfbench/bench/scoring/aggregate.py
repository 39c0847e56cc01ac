"""Films to one value per metric, with interval, coverage and a strict value in which failures count."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.runtime import UNITS
from mfbench.metrics.base import (
    BoolArray,
    EmbeddedClips,
    IntArray,
    Metric,
    RatioScores,
    Scores,
    SetMetric,
    Status,
)
from mfbench.metrics.distances import ClipSets
from mfbench.registry import METRICS

REPLICATES = 500
SET_REPLICATES = 100
LEVEL = 0.95
MODALITIES = ("video", "audio", "joint")
FAILED = ("failed_generation", "failed_metric")


@dataclass(frozen=True)
class Total:
    """One metric over all films.

    Attributes:
        n: films that count; `coverage` their share of all.
        strict: the value with the worst possible one for every failed film; None where there is none.
        enough: whether `n` reaches the metric's least number of clips.
        protocol: changes with everything that could change the number.
    """

    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    unit: str
    higher_is_better: bool | None
    n: int
    coverage: float
    status: Status
    strict: float | None
    enough: bool
    protocol: str


def totals(
    films: Sequence[FilmResult], reference: Sequence[FilmResult], prompts: Sequence[str], judges: str
) -> list[Total]:
    """Every registered metric, and what a manifest told of latency.

    Args:
        films: results in order.
        reference: of real films.
        prompts: of every film; films of one prompt are resampled together.
        judges: digest of the judges.
    """
    cluster = np.unique(np.array(prompts), return_inverse=True)[1]
    found = []
    for name in METRICS.names():
        metric = METRICS.build({"type": name})
        assert isinstance(metric, Metric)
        if isinstance(metric, SetMetric):
            found.append(_of_sets(metric, films, reference, cluster, judges))
        else:
            found.append(_of_clips(metric, films, cluster, judges))
    return [*found, *(_runtime(name, films, cluster) for name in UNITS)]


def _of_clips(metric: Metric, films: Sequence[FilmResult], cluster: IntArray, judges: str) -> Total:
    scores = _gathered(metric.name, films)
    statuses = [_status(metric.name, film) for film in films]
    failed = sum(status in FAILED for status in statuses)
    value = scores.value(np.arange(len(films)))
    low, high = _interval(scores, value, cluster, REPLICATES)
    return Total(
        metric=metric.name,
        value=value,
        ci_low=low,
        ci_high=high,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        n=int(scores.usable.sum()),
        coverage=float(scores.usable.mean()),
        status=_overall(statuses, value),
        strict=_strict(metric, scores, failed),
        enough=int(scores.usable.sum()) >= metric.least_clips,
        protocol=_protocol(metric, judges),
    )


def _gathered(name: str, films: Sequence[FilmResult]) -> RatioScores:
    """Numerators and denominators of every film; films without a number do not count."""
    pieces = [film.pieces.get(name) for film in films]
    usable = np.array([piece is not None and piece.status == "ok" for piece in pieces])
    numerator = np.array([piece.numerator if piece else np.nan for piece in pieces])
    denominator = np.array([piece.denominator if piece else np.nan for piece in pieces])
    return RatioScores(usable, numerator, denominator)


def _status(name: str, film: FilmResult) -> Status:
    return film.status if film.status != "ok" or name not in film.pieces else film.pieces[name].status


def _overall(statuses: Sequence[Status], value: float | None) -> Status:
    """Of all films: ok with a value, else what happened to most."""
    if value is not None:
        return "ok"
    return max(sorted(set(statuses)), key=statuses.count) if statuses else "not_applicable"


def _strict(metric: Metric, scores: RatioScores, failed: int) -> float | None:
    """Failed films with the metric's worst value, each as heavy as a film on average."""
    good = int(scores.usable.sum())
    if metric.worst is None or good == 0:
        return None
    weight = float(scores.denominator[scores.usable].mean())
    total = float(scores.numerator[scores.usable].sum()) + failed * weight * metric.worst
    return total / (weight * (good + failed))


def _of_sets(
    metric: SetMetric,
    films: Sequence[FilmResult],
    reference: Sequence[FilmResult],
    cluster: IntArray,
    judges: str,
) -> Total:
    needed = MODALITIES if "sound" in metric.needs else ("video",)
    usable = np.array([all(name in film.features.points for name in needed) for film in films])
    real = [film for film in reference if all(name in film.features.points for name in needed)]
    value, low, high = None, None, None
    if usable.sum() >= 2 and len(real) >= 2:
        kept = np.flatnonzero(usable)
        candidate = [film for film, good in zip(films, usable, strict=True) if good]
        scores = metric.set_scores(_embedded(candidate), _embedded(real), cluster[kept])
        value = scores.value(np.arange(len(kept)))
        low, high = _interval(scores, value, cluster[kept], SET_REPLICATES)
    statuses: list[Status] = [
        "ok" if good else film.status if film.status != "ok" else "not_applicable"
        for film, good in zip(films, usable, strict=True)
    ]
    return Total(
        metric=metric.name,
        value=value,
        ci_low=low,
        ci_high=high,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        n=int(usable.sum()),
        coverage=float(usable.mean()),
        status=_overall(["not_applicable" if s == "ok" else s for s in statuses], value),
        strict=None,
        enough=int(usable.sum()) >= metric.least_clips,
        protocol=_protocol(metric, judges),
    )


def _embedded(films: Sequence[FilmResult]) -> EmbeddedClips:
    """Embeddings of films; those of sound stand in for nothing where only pictures are compared."""

    def sets(name: str) -> ClipSets:
        return ClipSets.of([film.features.points.get(name, film.features.points["video"]) for film in films])

    intact: BoolArray = np.ones(len(films), dtype=np.bool_)
    return EmbeddedClips(sets("video"), sets("audio"), sets("joint"), intact)


def _interval(
    scores: Scores, value: float | None, cluster: IntArray, replicates: int
) -> tuple[float | None, float | None]:
    """Percentile interval over resampled prompts, shifted onto the value; none with fewer than 3 prompts."""
    known = np.unique(cluster)
    if value is None or len(known) < 3:
        return None, None
    members = [np.flatnonzero(cluster == prompt) for prompt in known]
    rng = np.random.default_rng([len(cluster), replicates])
    drawn = []
    for _ in range(replicates):
        chosen = np.concatenate([members[i] for i in rng.integers(0, len(known), len(known))])
        found = scores.value(chosen)
        if found is not None:
            drawn.append(found)
    if len(drawn) < replicates // 2:
        return None, None
    moved = np.array(drawn) - np.mean(drawn)
    low, high = np.quantile(moved, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(value + min(low, 0.0)), float(value + max(high, 0.0))


def _runtime(name: str, films: Sequence[FilmResult], cluster: IntArray) -> Total:
    scores = _gathered(name, films)
    value = scores.value(np.arange(len(films)))
    low, high = _interval(scores, value, cluster, REPLICATES)
    n = int(scores.usable.sum())
    return Total(
        metric=name,
        value=value,
        ci_low=low,
        ci_high=high,
        unit=UNITS[name],
        higher_is_better=name == "fps",
        n=n,
        coverage=n / len(films),
        status="ok" if value is not None else "not_applicable",
        strict=None,
        enough=n > 0,
        protocol="as the manifest says",
    )


def _protocol(metric: Metric, judges: str) -> str:
    text = f"{metric.name} {metric.version} {judges}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
