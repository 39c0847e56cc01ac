"""Build the report of run folders (or folders of records), or one page of several scored folders.

python -m mfbench report runs/steps_sweep --out reports/steps_sweep
python -m mfbench report scores/model_a scores/model_b --out comparison
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mfbench.cli.output import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="run folder, folder of records, or results of `score`",
    )
    parser.add_argument("--out", type=Path, default=None, help="folder of the report (reports/<run>)")


def execute(arguments: argparse.Namespace) -> int:
    """Find the records and build."""
    from mfbench.bench.record import RecordError
    from mfbench.errors import CorruptError, UsageError
    from mfbench.report import build, build_scored, is_scored

    if any(is_scored(run) for run in arguments.runs):
        strange = [str(run) for run in arguments.runs if not is_scored(run)]
        if strange:
            raise UsageError(f"{', '.join(strange)}: no results of `score`, unlike the others; give one kind")
        say(f"report: {build_scored(arguments.runs, arguments.out or arguments.runs[0])}")
        return 0
    folders = [_records(run) for run in arguments.runs]
    first = folders[0].resolve()
    target = arguments.out or Path("reports") / (first.parent.name if first.name == "records" else first.name)
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
