"""Score a folder: the reference first, then every film, gathered in the order of the files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from mfbench.bench.judging.kit import Kit
from mfbench.bench.scoring.journal import Journal, identity, key
from mfbench.bench.scoring.paths import shown_file, without_folders
from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.pool import Pool
from mfbench.bench.scoring.read_film import LONGEST_S, excerpt, read_film
from mfbench.bench.scoring.total import digest
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
        media_s: length of what was read now, not by an earlier call.
        seconds: that it took.
    """

    films: tuple[FilmResult, ...]
    reference: tuple[FilmResult, ...]
    worker_mb: float | None = None
    media_s: float = 0.0
    seconds: float = 0.0


def score(
    entries: Sequence[ClipEntry],
    root: Path,
    reference: Sequence[ClipEntry],
    reference_root: Path,
    kit: Kit,
    journal: Journal,
    *,
    workers: int,
    progress: Callable[[int, int, str], None],
    tell: Callable[[str], None],
) -> Scored:
    """Read reference and candidates in worker processes, but for those that the journal has.

    Raises:
        UsageError: if fewer than 16 reference films can be used.
    """
    paths = tuple(entry.video for entry in reference if entry.video is not None and not entry.failed)
    if len(paths) < LEAST_REFERENCE:
        raise UsageError(
            f"the reference has {len(paths)} films and at least {LEAST_REFERENCE} are needed; "
            "name a folder with more real films, or leave --reference out"
        )
    conditions = kit.digest, digest([identity(path) for path in paths[:EXCERPTS]])
    jobs = [(entry, reference_root) for entry in reference] + [(entry, root) for entry in entries]
    keys = [key(*job, *conditions) for job in jobs]
    known = {index: found for index, one in enumerate(keys) if (found := journal.film(one)) is not None}
    left = [index for index in range(len(jobs)) if index not in known]
    began, peak_mb = time.monotonic(), None
    if known:
        told = f"{len(known)} of {len(jobs)} films, reference included, were read before and have not changed"
        tell(f"{told}; {len(left)} are left")

    def landed(index: int, result: FilmResult) -> None:
        journal.add(keys[left[index]], result)

    if left:  # a pool begins with the reference, which nobody needs where all is there
        setup = partial(Workshop.open, kit.path, paths[:EXCERPTS])
        with Pool(setup, _work, _lost, workers=workers, timeout_s=TIMEOUT_S) as pool:
            for index, result in zip(left, pool.run([jobs[i] for i in left], landed), strict=True):
                known[index] = result
                progress(len(known), len(jobs), result.file or result.id)
        peak_mb = pool.peak_mb
    results = tuple(known[index] for index in range(len(jobs)))
    media_s, seconds = sum(known[index].seconds for index in left), time.monotonic() - began
    return Scored(results[len(reference) :], results[: len(reference)], peak_mb, media_s, seconds)


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
