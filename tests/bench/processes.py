"""Processes that work in a folder: none may stay when a run was killed."""

from __future__ import annotations

import os
import time
from pathlib import Path


def processes_of(folder: Path) -> list[int]:
    """Live processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def gone(folder: Path, patience_s: float = 5.0) -> bool:
    deadline = time.monotonic() + patience_s
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes_of(folder)
