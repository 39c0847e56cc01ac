"""One run: plan, lock, schedule, records, summary."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, TextIO

from mfbench import provenance
from mfbench.bench import jobs, pilot, plan, preflight
from mfbench.bench.collect import Collector
from mfbench.bench.jobs import Settings
from mfbench.bench.lock import run_lock
from mfbench.bench.plan import Plan
from mfbench.bench.progress import Progress
from mfbench.bench.schedule import Interval, Scheduler
from mfbench.bench.select import Choice, Selection, select
from mfbench.bench.settings import Experiment
from mfbench.bench.stage import BODIES
from mfbench.bench.store import Store, write_json
from mfbench.errors import RunError

_SWEPT_ASIDE = "aside"


@dataclass(frozen=True)
class Options:
    """How to run; none of it changes a result's id except `strict_code`."""

    out: Path
    choice: Choice = field(default_factory=Choice)
    executor: str = "local"
    slots: int = 0  # 0: one per core on cpu, one on cuda
    threads: int = 1
    device: str = "cpu"
    reuse: tuple[Path, ...] = ()  # run folders whose finished stages serve here too
    track: str = "none"
    fail_fast: bool = False
    strict_code: bool = False
    bodies: Mapping[str, str] = field(default_factory=lambda: dict(BODIES))


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        failed: names of cells that have no good record.
        corrupt: a finished result was found damaged.
        stage_s: seconds of work by stage kind (parallel work counts each).
        aside: records of cells that the experiment does not have, moved to `records/aside`.
        wall_s: seconds from start to end; `idle_s` of them no stage was at work (the harness's share).
    """

    folder: Path
    cells: int
    done_before: int
    failed: tuple[str, ...]
    corrupt: bool
    stage_s: dict[str, float]
    wall_s: float
    idle_s: float
    aside: int = 0

    @property
    def exit_code(self) -> int:
        """0 all good, 4 corrupt results found, 1 some cells failed."""
        if self.corrupt:
            return 4
        return 1 if self.failed else 0


def planned(experiment: Experiment, options: Options) -> tuple[Plan, Collector, Selection]:
    """The plan of a run and what is left to do in its folder; touches nothing."""
    _margins(experiment)
    made = plan.make(
        experiment, provenance.hardware(), strict_code=options.strict_code, bodies=options.bodies
    )
    store = Store(options.out / experiment.name)
    collector = Collector(made, store, provenance.command(), options.choice.records)
    return made, collector, select(made, collector, options.choice)


def run(experiment: Experiment, options: Options, stream: TextIO | None = None) -> Summary:
    """Run an experiment to its records.

    Raises:
        UserError: with the exit code that fits; KeyboardInterrupt when interrupted, with children ended.
    """
    began = time.time()
    folder = options.out / experiment.name
    with run_lock(folder) as lock:
        try:
            return _locked(experiment, options, stream, lock, began)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RunError(f"the disk of {folder} is full; free some, the same command continues") from error


def _locked(
    experiment: Experiment, options: Options, stream: TextIO | None, lock: int, began: float
) -> Summary:
    made, collector, selection = planned(experiment, options)
    if options.reuse:
        reused = [Store(folder) for folder in options.reuse]
        adopt(made, collector, selection, reused)
        selection = select(made, collector, options.choice)
    margins = _margins(experiment)
    store = collector.store
    store.clean()
    scheduler = _scheduler(made, store, options, Progress(len(selection.todo), stream), lock)
    if selection.todo:
        store.forget()
        preflight.check_disk(store.root)
        scheduler.run(jobs.group(made, selection.todo))
    records = [
        collector.write(cell)
        for cell in selection.cells
        if cell.name not in selection.done and _concluded(collector, cell, scheduler.failed)
    ]
    aside = _set_aside(collector.folder, {cell.name for cell in made.cells})
    write_json(store.root / "experiment.json", describe(made, margins))
    return replace(_summary(store, selection, records, scheduler, began), aside=aside)


def adopt(made: Plan, collector: Collector, selection: Selection, others: list[Store]) -> None:
    """Take over the stages that a run still needs and another one has finished."""
    for id_ in selection.todo:
        spec = made.stages[id_].spec
        found = next((other for other in others if other.finished(spec)), None)
        if found is not None:
            collector.store.adopt(spec, found)


def _scheduler(made: Plan, store: Store, options: Options, progress: Progress, lock: int) -> Scheduler:
    from mfbench.registry import EXECUTORS  # mmengine: not at `--help`

    cores = provenance.cores()
    settings = Settings(
        imports=made.experiment.custom_imports,
        bodies=made.bodies,
        metrics=made.experiment.suite.metrics,
        device=options.device,
        threads=options.threads,
        track=options.track,
    )
    slots = options.slots or (cores if options.device == "cpu" else 1)
    executor = EXECUTORS.get(options.executor)(lock)
    return Scheduler(
        store, executor, settings, progress, slots=slots, cores=cores, fail_fast=options.fail_fast
    )


def _concluded(collector: Collector, cell: Cell, failed: set[str]) -> bool:
    """Whether all of a cell's stages are there, or at least one behind it failed."""
    missing = collector.plan.needed(list(cell.stages.values()), collector.store.finished)
    return not missing or any(id_ in failed for id_ in missing)


def _set_aside(folder: Path, names: set[str]) -> int:
    """Move records of cells that the experiment no longer has out of the report's way; how many."""
    found = [path for path in folder.glob("*.json") if path.stem not in names]
    aside = folder / _SWEPT_ASIDE
    for path in found:
        aside.mkdir(exist_ok=True)
        numbered = (aside / f"{path.stem}.{n}.json" for n in count(2))  # what is there already stays
        path.replace(next(place for place in chain([aside / path.name], numbered) if not place.exists()))
    return len(found)


def describe(made: Plan, margins: dict[str, float]) -> dict[str, Any]:
    """What a report needs to know about the experiment beside its records."""
    experiment = made.experiment
    return {
        "schema": 1,
        "experiment": experiment.name,
        "report": experiment.report.given(),
        "margins": margins,
        "methods": [entry.name for entry in experiment.methods],
        "starts": _starts(experiment),
        "axes": {
            "steps": experiment.axes.steps,
            "train_seed": experiment.axes.train_seed,
            "sample_seed": experiment.axes.sample_seed,
        },
        "skipped": [{"cell": item.cell, "reason": item.reason} for item in made.skipped],
        "off_design": sorted({f"{cell.method}@{cell.steps}" for cell in made.cells if cell.off_design}),
    }


def _starts(experiment: Experiment) -> dict[str, str]:
    """The checkpoint that each method starts from, by name, where it is compared too."""
    types = {entry.name: entry.type for entry in experiment.methods}
    parents = {
        name: tuple(experiment.catalog.methods[type_].constant("parents", ()))
        for name, type_ in types.items()
    }
    return {name: found[0] for name, found in parents.items() if found and found[0] in types}


def _margins(experiment: Experiment) -> dict[str, float]:
    """Margins of the claims from the pilot named beside them; its path starts where the experiment lies."""
    report = experiment.report
    return pilot.margins(experiment.path.parent / report.pilot) if report.claims else {}


def _summary(
    store: Store, selection: Selection, records: list[dict[str, Any]], scheduler: Scheduler, began: float
) -> Summary:
    failed = tuple(item["cell"] for item in records if item["status"] != "ok")
    errors = [item["error"] for item in records if item["error"] is not None]
    stage_s: dict[str, float] = {}
    for interval in scheduler.intervals:
        stage_s[interval.kind] = stage_s.get(interval.kind, 0.0) + interval.finished - interval.started
    wall_s = time.time() - began
    return Summary(
        folder=store.root,
        cells=len(selection.cells),
        done_before=len(selection.done),
        failed=failed,
        corrupt=any("CorruptError" in (error["type"], error["message"].split(":")[0]) for error in errors),
        stage_s=stage_s,
        wall_s=wall_s,
        idle_s=wall_s - covered(scheduler.intervals),
    )


def covered(intervals: list[Interval]) -> float:
    """Seconds during which at least one stage was at work."""
    total, end = 0.0, float("-inf")
    for interval in sorted(intervals, key=lambda item: item.started):
        total += max(0.0, interval.finished - max(end, interval.started))
        end = max(end, interval.finished)
    return total
