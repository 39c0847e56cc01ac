"""Processes: that end with their parent, and how large they grew."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Literal

MIB = 2**20
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


def memory_peak_mb(process: int | Literal["self"]) -> float | None:
    """Largest resident size of a process that runs; None where the system does not tell.

    The size that `getrusage` gives for children is no match: there a child begins with its parent's.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
    return kib * 1024 / MIB
