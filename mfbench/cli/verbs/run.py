"""Run an experiment: make what is missing, write records and the report.

Killed or interrupted at any moment, the same command continues. Finished stages are never made again.

    python -m mfbench run experiments/steps_sweep.py
    python -m mfbench run experiments/smoke.py --set suite.prompts=8 --only 'MutualForcing@*'
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from mfbench.cli.output import add_experiment_arguments, say, table

if TYPE_CHECKING:
    from mfbench.bench.run import Summary


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    add_experiment_arguments(parser)
    parser.add_argument("--executor", choices=("local", "in-process"), default="local")
    parser.add_argument("--track", choices=("none", "wandb-offline", "wandb"), default="none")
    parser.add_argument(
        "--reuse",
        type=Path,
        action="append",
        default=[],
        metavar="RUN",
        help="another run folder whose finished stages serve here too, for instance runs/main_comparison",
    )
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failed stage")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where reports go (reports)")
    parser.add_argument("--no-report", action="store_true", help="records only")


def execute(arguments: argparse.Namespace) -> int:
    """Run, report, summarise."""
    if arguments.dry_run:
        from mfbench.cli.verbs import plan

        return plan.execute(arguments)
    from mfbench.bench.run import run
    from mfbench.cli import request

    experiment = request.experiment(arguments)
    target = arguments.reports / experiment.name
    if not arguments.no_report:
        _claim(target, arguments.out / experiment.name)
    summary = run(experiment, request.options(arguments))
    say(_text(summary))
    if not arguments.no_report and any((summary.folder / "records").glob("*.json")):
        from mfbench.report import build

        build([summary.folder / "records", *arguments.records], target, "--reports")
        say(f"report: {target / 'index.html'}")
        if arguments.track != "none":
            _track_results(arguments.track, summary.folder, target)
    return summary.exit_code


def _claim(report: Path, run: Path) -> None:
    """See before the work that the report can be written after it."""
    from mfbench.errors import UsageError
    from mfbench.files import OwnFolder

    if report.resolve() == run.resolve():
        raise UsageError(
            f"--reports and --out lead to the same folder {report}; name another for one of them"
        )
    OwnFolder.claim(report, "--reports")


def _track_results(mode: str, folder: Path, report: Path) -> None:
    """Send what the report shows; all is done by now, so no failure here may change the exit code."""
    from mfbench.tracker import send_results

    try:
        send_results(mode, folder, report, _clips(folder))
    except Exception as error:
        logging.getLogger(__name__).warning("the report was not sent to Weights & Biases (%s)", error)


def _clips(folder: Path) -> dict[str, Path]:
    """Gallery clips by `cell/role`."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(folder.glob("media/*/*.mp4"))}


def _text(summary: Summary) -> str:
    from mfbench.bench.progress import clock

    lines = [
        f"{summary.cells} cells: {summary.done_before} were done, {len(summary.failed)} failed; "
        f"records in {summary.folder / 'records'}"
    ]
    lines += [f"  failed: {name}" for name in summary.failed]
    if summary.aside:
        where = summary.folder / "records" / "aside"
        lines.append(
            f"{summary.aside} records of cells that this experiment does not have are now in {where}"
        )
    if summary.stage_s:
        work_s = sum(summary.stage_s.values())
        rows = [(kind, f"{s:.1f}", f"{100 * s / work_s:.0f} %") for kind, s in summary.stage_s.items()]
        lines.append(table(("stage", "seconds", "share"), rows))
    share = 100 * summary.idle_s / summary.wall_s if summary.wall_s else 0.0
    lines.append(
        f"wall time {clock(summary.wall_s)} ({summary.wall_s:.1f} s), "
        f"harness alone {summary.idle_s:.1f} s ({share:.0f} %)"
    )
    return "\n".join(lines)
