"""Build the report of one or more run folders (or folders of records).

python -m mfbench report runs/steps_sweep --out reports/steps_sweep
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mfbench.cli.output import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folder or folder of records")
    parser.add_argument("--out", type=Path, default=None, help="folder of the report (reports/<run>)")


def execute(arguments: argparse.Namespace) -> int:
    """Find the records and build."""
    from mfbench.bench.record import RecordError
    from mfbench.errors import CorruptError

    folders = [_records(run) for run in arguments.runs]
    first = folders[0].resolve()
    target = arguments.out or Path("reports") / (first.parent.name if first.name == "records" else first.name)
    from mfbench.report import build

    try:
        build(folders, target)
    except RecordError as error:
        raise CorruptError(str(error)) from error
    say(f"report: {target / 'index.html'}")
    return 0


def _records(run: Path) -> Path:
    from mfbench.errors import UsageError

    for folder in (run / "records", run):
        if any(folder.glob("*.json")):
            return folder
    raise UsageError(f"there are no records in {run}; give a run folder, or a folder of records")
