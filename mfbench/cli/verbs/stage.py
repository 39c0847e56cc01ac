"""Run the job of a folder (the hidden command behind every executor)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

HIDDEN = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("folder", type=Path)


def execute(arguments: argparse.Namespace) -> int:
    """Tie this process to its parent, then work."""
    from mfbench.processes import PARENT_VARIABLE, die_with_parent

    parent = os.environ.pop(PARENT_VARIABLE, "")
    if parent:
        die_with_parent(int(parent))
    from mfbench.bench.worker import run_job

    return run_job(arguments.folder)
