"""Score a folder: the reference first, then every film, gathered in the order of the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from mfbench.bench.scoring.paths import shown_file, without_folders
from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.pool import Pool
from mfbench.bench.scoring.read_film import LONGEST_S, excerpt, read_film
from mfbench.data.manifest import ClipEntry
from mfbench.data.media_facts import MediaError
from mfbench.errors import UsageError
from mfbench.metrics.film import TooShortError
from mfbench.metrics.observe import Observation, Readers, concatenate

TIMEOUT_S = 60.0 + LONGEST_S / 2  # of one film; reading is many times faster than playing
EXCERPTS = 128  # reference films that single clips are compared with; distances of sets use all
LEAST_REFERENCE = 16


@dataclass(frozen=True)
class Scored:
    """Results of all entries, and of the reference films.

    Attributes:
        worker_mb: largest resident size of a process that read them, where the system tells.
    """

    films: tuple[FilmResult, ...]
    reference: tuple[FilmResult, ...]
    worker_mb: float | None = None


def score(
    entries: Sequence[ClipEntry],
    root: Path,
    reference: Sequence[ClipEntry],
    reference_root: Path,
    kit_path: Path,
    *,
    workers: int,
    progress: Callable[[int, int, str], None],
) -> Scored:
    """Read reference and candidates in worker processes.

    Raises:
        UsageError: if fewer than 16 reference films can be used.
    """
    paths = tuple(entry.video for entry in reference if entry.video is not None and not entry.failed)
    if len(paths) < LEAST_REFERENCE:
        raise UsageError(
            f"the reference has {len(paths)} films and at least {LEAST_REFERENCE} are needed; "
            "name a folder with more real films, or leave --reference out"
        )
    setup = partial(Workshop.open, kit_path, paths[:EXCERPTS])
    with Pool(setup, _work, _lost, workers=workers, timeout_s=TIMEOUT_S) as pool:
        jobs = [(entry, reference_root) for entry in reference] + [(entry, root) for entry in entries]
        results = []
        for index, result in enumerate(pool.run(jobs)):
            results.append(result)
            progress(index + 1, len(jobs), result.file or result.id)
    return Scored(tuple(results[len(reference) :]), tuple(results[: len(reference)]), pool.peak_mb)


@dataclass(frozen=True)
class Workshop:
    """What a worker keeps: judges and excerpts of the reference."""

    readers: Readers
    reference: Observation

    @classmethod
    def open(cls, kit_path: Path, paths: Sequence[Path]) -> Workshop:
        """Load the judges and read the reference."""
        torch.set_num_threads(1)
        readers = Readers.load(kit_path)
        return cls(readers, _excerpts(paths, readers))


def _excerpts(paths: Sequence[Path], readers: Readers) -> Observation:
    found, refused = [], []
    for path in paths:
        try:
            found.append(excerpt(path, readers))
        except (MediaError, TooShortError) as error:
            refused.append(str(error))
    if len(found) < LEAST_REFERENCE:
        why = f" (the first: {refused[0]})" if refused else ""
        raise UsageError(
            f"{len(found)} reference films can be used and at least {LEAST_REFERENCE} are needed{why}"
        )
    return concatenate(found)


def _work(workshop: object, job: tuple[ClipEntry, Path]) -> FilmResult:
    assert isinstance(workshop, Workshop)
    entry, root = job
    try:
        return read_film(entry, workshop.readers, workshop.reference, root)
    except Exception as error:  # whatever a strange file brings about, the others go on
        reason = without_folders(f"unreadable: {type(error).__name__}: {error}", entry, root)
        return FilmResult(entry.id, shown_file(entry, root), "failed_generation", reason)


def _lost(job: tuple[ClipEntry, Path], why: str) -> FilmResult:
    entry, root = job
    return FilmResult(entry.id, shown_file(entry, root), "failed_generation", f"unreadable: {why}")
