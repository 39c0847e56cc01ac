"""One process, one job: make its stages in order; a failed stage is noted and the others go on."""

from __future__ import annotations

import errno
import importlib
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfbench.bench import jobs, preflight
from mfbench.bench.events import EventLog
from mfbench.bench.stage import Parent, Stage, StageContext, StageResult
from mfbench.bench.store import Failure, Store
from mfbench.errors import PreflightError
from mfbench.registry import import_tree

PREFLIGHT_FAILED = 3
DISK_FULL = 74  # EX_IOERR of sysexits.h
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def run_job(folder: Path) -> int:
    """Run the job described in `folder/job.json`; 0 unless the process as a whole could not work."""
    worker = _Worker(folder)
    try:
        return worker.run()
    except OSError as error:
        if error.errno in _NO_SPACE:
            return DISK_FULL
        raise


class _Worker:
    def __init__(self, folder: Path) -> None:
        self.job, self.settings, content = jobs.read(folder)
        self.workers = int(content["workers"])
        self.preflight = bool(content["preflight"])
        self.run_folder = folder.parent.parent
        self.store = Store(self.run_folder)
        self.events = EventLog(folder)
        self.memory: dict[str, Any] = {}
        self.verified: dict[str, Parent] = {}
        self.imported = False

    def run(self) -> int:
        """Check, then make every stage that is not there yet."""
        if self.preflight:
            try:
                bodies = sorted({self.settings.bodies[stage.kind] for stage in self.job.stages})
                preflight.check_imports(self.settings.imports, bodies)
                preflight.check_metrics(self.settings.metrics)
            except PreflightError as error:
                self.events.write("preflight", {"ok": False, "message": str(error)})
                return PREFLIGHT_FAILED
            self.events.write("preflight", {"ok": True, "message": ""})
        for stage in self.job.stages:
            if not self.store.finished(stage.spec):
                self.make(stage)
        return 0

    def make(self, stage: Stage) -> None:
        """Make one stage; an exception becomes a recorded failure."""
        started = time.time()
        try:
            body = self.body(stage)
            self.events.write("start", {"stage": stage.id, "kind": stage.kind, "label": stage.label})
            context = self.context(stage, self.store.begin(stage.spec))
            result = body(context)
            self.store.publish(stage, context.out.parent, result, self.run_facts(started))
        except (Exception, SystemExit) as error:
            self.failed(stage, error)
        else:
            self.events.write("end", {"stage": stage.id, "ok": True})

    def run_facts(self, started: float) -> dict[str, Any]:
        """How the result was made; outside its id."""
        return {
            "started": started,
            "finished": time.time(),
            "threads": self.settings.threads,
            "device": self.settings.device,
        }

    def body(self, stage: Stage) -> Callable[[StageContext], StageResult]:
        """The function that makes this kind of stage."""
        if not self.imported:
            for package in self.settings.imports:
                import_tree(package)
            self.imported = True
        function: Callable[[StageContext], StageResult]
        function = importlib.import_module(self.settings.bodies[stage.kind]).run
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(self.settings.threads)
        return function

    def context(self, stage: Stage, temporary: Path) -> StageContext:
        """What the body may use; parents are verified once per process."""
        parents = {}
        for role, id_ in stage.spec.parents.items():
            if id_ not in self.verified:
                self.verified[id_] = self.store.parent(stage.spec.parent_kinds[role], id_)
            parents[role] = self.verified[id_]
        return StageContext(
            spec=stage.spec,
            parents=parents,
            out=temporary / "artifacts",
            scratch=self.store.scratch(stage.spec),
            run_folder=self.run_folder,
            device=self.settings.device,
            threads=self.settings.threads,
            workers=self.workers,
            track=self.settings.track,
            progress=lambda done, total, note: self.events.progress(stage.id, done, total, note),
            memory=self.memory,
        )

    def failed(self, stage: Stage, error: BaseException) -> None:
        """Record a failure; a full disk ends the whole job."""
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            raise error
        text = "".join(traceback.format_exception(error))
        sys.stderr.write(text)
        self.store.fail(Failure(stage.id, type(error).__name__, str(error), text))
        message = f"{type(error).__name__}: {error}"
        self.events.write("end", {"stage": stage.id, "ok": False, "message": message})
