"""One value over all films, with what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfbench.bench.scoring.intervals import REPLICATES, interval
from mfbench.bench.scoring.piece import FilmResult
from mfbench.metrics.base import IntArray, Metric, RatioScores, RootScores, Status

FAILED = ("failed_generation", "failed_metric")


@dataclass(frozen=True)
class Total:
    """One metric over all films.

    Attributes:
        n: films that count; `coverage` their share of all.
        strict: the value with the worst possible one for every failed film; None where there is none.
        enough: whether `n` reaches the metric's least number of clips.
        protocol: changes with everything that could change the number.
        reason: why there is no value, where more is known than the status says.
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
    reason: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a metric of single films says about itself.

    Attributes:
        worst: what a failed film counts as in the strict value; None where nothing stands for a failure.
        least_clips: fewer are few.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    worst: float | None
    least_clips: int
    protocol: str


def total_of_clips(meaning: Meaning, films: Sequence[FilmResult], cluster: IntArray) -> Total:
    """Sum over sum of the films' pieces, which for denominators of 1 is the mean; or the root of it.

    Args:
        meaning: of the metric.
        films: all of them, failed ones too.
        cluster: index of the prompt of every film, [films].
    """
    scores = gathered(meaning.name, films)
    statuses = [status_of(meaning.name, film) for film in films]
    value = scores.value(np.arange(len(films)))
    low, high = interval(scores, value, cluster, REPLICATES)
    n = int(scores.usable.sum())
    return Total(
        metric=meaning.name,
        value=value,
        ci_low=low,
        ci_high=high,
        unit=meaning.unit,
        higher_is_better=meaning.higher_is_better,
        n=n,
        coverage=n / len(films),
        status=overall(statuses, value),
        strict=_strict(meaning.worst, scores, sum(status in FAILED for status in statuses)),
        enough=n >= meaning.least_clips,
        protocol=meaning.protocol,
        reason="" if value is not None else _usual_reason(meaning.name, films),
    )


def total_of_many(
    metric: Metric,
    films: Sequence[FilmResult],
    found: tuple[float | None, float | None, float | None],
    n: int,
    protocol: str,
    reason: str,
) -> Total:
    """Of a metric that no single film has: value, and both ends of its interval, over `n` of the films.

    Args:
        metric: what was measured.
        films: all of them, failed ones too.
        found: value, low, high.
        n: films that count.
        protocol: of the metric.
        reason: why there is no value; told only where there is none.
    """
    value, low, high = found
    statuses: list[Status] = ["not_applicable" if film.status == "ok" else film.status for film in films]
    return Total(
        metric=metric.name,
        value=value,
        ci_low=low,
        ci_high=high,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        n=n,
        coverage=n / len(films),
        status=overall(statuses, value),
        strict=None,
        enough=n >= metric.least_clips,
        protocol=protocol,
        reason="" if value is not None else reason,
    )


def gathered(name: str, films: Sequence[FilmResult]) -> RatioScores:
    """Numerators and denominators of every film; films without a number do not count."""
    pieces = [film.pieces.get(name) for film in films]
    usable = np.array([piece is not None and piece.status == "ok" for piece in pieces])
    numerator = np.array([piece.numerator if piece else np.nan for piece in pieces])
    denominator = np.array([piece.denominator if piece else np.nan for piece in pieces])
    rooted = any(piece is not None and piece.root for piece in pieces)
    return (RootScores if rooted else RatioScores)(usable, numerator, denominator)


def status_of(name: str, film: FilmResult) -> Status:
    """Of one metric of one film."""
    return film.status if film.status != "ok" or name not in film.pieces else film.pieces[name].status


def overall(statuses: Sequence[Status], value: float | None) -> Status:
    """Of all films: ok with a value, else what happened to most."""
    if value is not None:
        return "ok"
    return max(sorted(set(statuses)), key=statuses.count) if statuses else "not_applicable"


def digest(*parts: object) -> str:
    """16 hexadecimal digits of a protocol."""
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:16]


def _usual_reason(name: str, films: Sequence[FilmResult]) -> str:
    """What most films say about why they have no number."""
    reasons = [film.pieces[name].reason for film in films if name in film.pieces]
    return max(sorted(set(reasons)), key=reasons.count) if reasons else "no film could be read"


def _strict(worst: float | None, scores: RatioScores, failed: int) -> float | None:
    """Failed films with the metric's worst value, each as heavy as a film on average."""
    good = int(scores.usable.sum())
    if worst is None or good == 0:
        return None
    rooted = isinstance(scores, RootScores)
    weight = float(scores.denominator[scores.usable].mean())
    total = float(scores.numerator[scores.usable].sum()) + failed * weight * (worst**2 if rooted else worst)
    ratio = total / (weight * (good + failed))
    return float(np.sqrt(ratio)) if rooted else ratio
