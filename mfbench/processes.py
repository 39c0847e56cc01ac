"""Processes that end with their parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

PARENT_VARIABLE = "MFBENCH_PARENT"
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent ends; usable as a pool's `initializer`.

    `parent` is the process that started this one; where it is already gone, this one ends at once.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
