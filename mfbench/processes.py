"""Processes: whose user nobody knows, that end with their parent, and how large they grew."""

from __future__ import annotations

import contextlib
import ctypes
import getpass
import os
import signal
import sys
import tempfile
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


def settle_user() -> None:
    """Let libraries work for a user whom the system does not know, and without a home that can be written.

    Containers run as any user id: torch asks for the user's name, matplotlib and others for a place to keep
    things. Call it before they are imported; processes that are started later inherit it.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = f"uid{os.getuid()}"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  # `Path.home` raises where there is none
    if home.is_dir() and os.access(home, os.W_OK):
        return
    kept = _own_temporary()
    if not home.is_dir():
        os.environ["HOME"] = str(kept)
    for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "TRITON_CACHE_DIR"):
        os.environ.setdefault(name, str(kept / name.lower()))


def _own_temporary() -> Path:
    """A folder of this user alone, the same for all of his processes."""
    folder = Path(tempfile.gettempdir()) / f"mfbench-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix="mfbench-"))


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
