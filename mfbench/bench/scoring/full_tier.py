"""The full tier over a scored folder: models with the user's weights, in one worker process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mfbench.bench.scoring.aggregate import clusters
from mfbench.bench.scoring.folder import Scored
from mfbench.bench.scoring.full_models import FullTier
from mfbench.bench.scoring.full_read import Answer, FilmTask, SetTask, answer, lost, open_all
from mfbench.bench.scoring.journal import Journal, key
from mfbench.bench.scoring.piece import FilmResult, Piece
from mfbench.bench.scoring.pool import Pool
from mfbench.bench.scoring.total import Meaning, Total, overall, total_of_clips
from mfbench.data.manifest import ClipEntry
from mfbench.metrics.base import Status
from mfbench.metrics.full import adapter
from mfbench.metrics.full.base import FloatArray, MetricInfo

TIMEOUT_S = 900.0  # of one film; large models on one core are slow
LEAST_SET = 2

FullPool = Pool[FilmTask | SetTask, Answer]
Answers = Mapping[tuple[str, int], Answer]  # by adapter and index of the film


@dataclass(frozen=True)
class FullScored:
    """The films with the full tier's pieces beside the others, its totals, and those of the real films."""

    films: tuple[FilmResult, ...]
    totals: tuple[Total, ...]
    real: tuple[Total, ...]


def score_full(
    tier: FullTier,
    scored: Scored,
    entries: Sequence[ClipEntry],
    root: Path,
    reference: Sequence[ClipEntry],
    reference_root: Path,
    journal: Journal,
    *,
    progress: Callable[[int, int, str], None],
) -> FullScored:
    """Every film that could be read, and every film of the reference, by every adapter.

    What the journal has is not read again.

    Distances come without an interval, as every resample would cost as much as the distance itself.

    Raises:
        WeightsError: if a file is no such model.
    """
    setup = partial(open_all, tier.weights, tier.names)
    films = _tasks(tier.names, entries, scored.films, root)
    real = _tasks(tier.names, reference, scored.reference, reference_root)
    with FullPool(setup, answer, lost, workers=1, timeout_s=TIMEOUT_S) as pool:
        answers = _answers(tier, pool, [*films.values(), *real.values()], journal, progress)
        ours = dict(zip(films, answers[: len(films)], strict=True))
        theirs = dict(zip(real, answers[len(films) :], strict=True))
        merged = _merged(scored.films, tier.names, ours)
        totals = _totals(tier, pool, merged, entries, ours, theirs)
        halves = [{key: found for key, found in theirs.items() if key[1] % 2 == half} for half in (0, 1)]
        real_films = _merged(scored.reference, tier.names, theirs)
        real_totals = _totals(tier, pool, real_films, reference, *halves)
    return FullScored(tuple(merged), tuple(totals), tuple(real_totals))


def _answers(
    tier: FullTier,
    pool: FullPool,
    tasks: Sequence[FilmTask],
    journal: Journal,
    progress: Callable[[int, int, str], None],
) -> list[Answer]:
    """Of every task, in their order."""
    keys = [key(task.entry, task.root, *tier.protocols(task.adapter)) for task in tasks]
    known = {index: found for index, one in enumerate(keys) if (found := journal.answer(one)) is not None}
    left = [index for index in range(len(tasks)) if index not in known]

    def landed(index: int, found: Answer) -> None:
        journal.add(keys[left[index]], found)

    for index, found in zip(left, pool.run([tasks[i] for i in left], landed), strict=True):
        known[index] = found
        progress(len(known), len(tasks), f"{tasks[index].adapter} {tasks[index].entry.id}")
    return [known[index] for index in range(len(tasks))]


def _totals(
    tier: FullTier,
    pool: FullPool,
    films: Sequence[FilmResult],
    entries: Sequence[ClipEntry],
    ours: Answers,
    theirs: Answers,
) -> list[Total]:
    """All metrics of all adapters: means over films, distances of ours from theirs."""
    found = []
    for name in tier.names:
        for info in adapter(name).metrics:
            if info.set_metric:
                found.append(_set_total(tier, name, info, pool, films, ours, theirs))
            else:
                meaning = _meaning(info, tier.protocol(adapter(name), info))
                found.append(total_of_clips(meaning, films, clusters(entries)))
    return found


def check_models(tier: FullTier) -> None:
    """Load every model once, before hours of work.

    Raises:
        WeightsError: if a file is no such model.
    """
    setup = partial(open_all, tier.weights, tier.names)
    with FullPool(setup, answer, lost, workers=1, timeout_s=TIMEOUT_S) as pool:
        deque(pool.run([SetTask(tier.names[0], "", (), ())]), maxlen=0)  # its answer means nothing


def _tasks(
    names: Sequence[str], entries: Sequence[ClipEntry], films: Sequence[FilmResult], root: Path
) -> dict[tuple[str, int], FilmTask]:
    return {
        (name, index): FilmTask(name, entry, root, film.facts)
        for name in names
        for index, (entry, film) in enumerate(zip(entries, films, strict=True))
        if film.status == "ok"
    }


def _merged(films: Sequence[FilmResult], names: Sequence[str], answers: Answers) -> list[FilmResult]:
    """Films with the adapters' pieces beside those that they have."""
    merged = []
    for index, film in enumerate(films):
        found = [answers[name, index] for name in names if (name, index) in answers]
        pieces = {name: p for one in found for name, p in (*one.pieces.items(), *one.missing.items())}
        notes = [note for one in found for note in one.notes]
        merged.append(replace(film, pieces={**film.pieces, **pieces}, notes=(*film.notes, *notes)))
    return merged


def _set_total(
    tier: FullTier,
    name: str,
    info: MetricInfo,
    pool: FullPool,
    films: Sequence[FilmResult],
    ours: Answers,
    theirs: Answers,
) -> Total:
    candidate, real = (_features(side, name, info.name) for side in (ours, theirs))
    missing = [f.missing[info.name] for (who, _), f in ours.items() if who == name and info.name in f.missing]
    if len(candidate) >= LEAST_SET and len(real) >= LEAST_SET:
        piece = next(iter(pool.run([SetTask(name, info.name, candidate, real)]))).pieces[info.name]
        status = piece.status
    else:
        piece = Piece("not_applicable", reason=_few(len(candidate), len(real), missing))
        failures: list[Status] = [film.status for film in films if film.status != "ok"]
        status = overall([*failures, *(p.status for p in missing)], None)
    return Total(
        metric=info.name,
        value=piece.value,
        ci_low=None,
        ci_high=None,
        unit=info.unit,
        higher_is_better=info.higher_is_better,
        n=len(candidate),
        coverage=len(candidate) / len(films),
        status=status,
        strict=None,
        enough=len(candidate) >= info.min_n,
        protocol=tier.protocol(adapter(name), info),
        reason=piece.reason,
    )


def _features(answers: Answers, name: str, metric: str) -> list[FloatArray]:
    return [f.features[metric] for (who, _), f in answers.items() if who == name and metric in f.features]


def _few(candidates: int, real: int, missing: Sequence[Piece]) -> str:
    why = f" ({missing[0].reason})" if missing else ""
    return f"{candidates} films and {real} of the reference have features{why}; wanted are {LEAST_SET} each"


def _meaning(info: MetricInfo, protocol: str) -> Meaning:
    low, high = info.range
    return Meaning(
        name=info.name,
        unit=info.unit,
        higher_is_better=info.higher_is_better,
        worst=None if info.higher_is_better is None else low if info.higher_is_better else high,
        least_clips=info.min_n,
        protocol=protocol,
    )
