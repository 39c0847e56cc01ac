"""One run per folder: an advisory lock that the kernel frees when its last holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mfbench.errors import UsageError

LOCK = ".lock"


@contextmanager
def run_lock(folder: Path, patience_s: float = 3.0) -> Iterator[int]:
    """Hold the lock of a run folder; yields the descriptor that children inherit.

    The patience covers children of a killed run that the kernel is still taking down.
    """
    descriptor = _open(folder)
    try:
        _acquire(descriptor, folder, time.monotonic() + patience_s)
        yield descriptor
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    _check_ours(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(
            f"cannot write in the run folder {folder} ({error.strerror}); choose another with --out"
        ) from error


def _check_ours(folder: Path) -> None:
    """A run clears the folders of its last one, so it works only in a folder that a run has made."""
    if not folder.exists() or (folder / LOCK).is_file():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file, wanted is a run folder; choose another --out")
    there = sorted(path.name for path in folder.iterdir())
    if there:
        raise UsageError(
            f"{folder} holds {', '.join(there[:3])} and was made by no run, nothing in it is touched; "
            "choose another --out, or move it away"
        )


def _acquire(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UsageError(
                    f"another run is working in {folder}; wait for it, stop it, or choose another --out"
                ) from None
            time.sleep(0.05)
