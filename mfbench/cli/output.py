"""Printing, and arguments that several verbs share."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def say(text: str = "") -> None:
    """Print a line on stdout."""
    sys.stdout.write(text + "\n")


def whole(low: int, high: int = 2**62) -> Callable[[str], int]:
    """A type of arguments: a whole number in a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"wanted a whole number from {low} to {high}, got {text!r}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """A type of arguments: a duration."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found <= 1e5:
        raise argparse.ArgumentTypeError(f"wanted seconds, more than 0 and at most 100000, got {text!r}")
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Aligned columns; numbers to the right."""
    cells = [[str(item) for item in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(head)]
    right = [bool(rows) and isinstance(rows[0][i], int | float) for i in range(len(head))]
    lines = [_line(head, widths, right), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(row, widths, right) for row in cells)])


def _line(row: Sequence[str], widths: list[int], right: list[bool]) -> str:
    parts = [
        text.rjust(width) if flush else text.ljust(width)
        for text, width, flush in zip(row, widths, right, strict=True)
    ]
    return "  ".join(parts).rstrip()


def add_experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` and `plan` have in common."""
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.py", help="experiment file (data only)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="A.B=V", help="override an existing key"
    )
    parser.add_argument("--import", action="append", default=[], dest="imports", metavar="MODULE")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where run folders live (runs)")
    parser.add_argument("--only", default="", help="globs on METHOD, METHOD@STEPS or cell names, with commas")
    parser.add_argument("--stages", default="", help="only these kinds and what they need, with commas")
    parser.add_argument("--limit", type=whole(0), default=0, metavar="N", help="at most N cells")
    parser.add_argument(
        "--records", type=Path, action="append", default=[], metavar="DIR", help="records that count as done"
    )
    parser.add_argument("--strict-code", action="store_true", help="any change of source is a new result")
    parser.add_argument(
        "--jobs", type=whole(0), default=0, metavar="N", help="processes at a time (one per core)"
    )
    parser.add_argument(
        "--threads", type=whole(1, 1024), default=1, metavar="N", help="threads per process (1)"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
