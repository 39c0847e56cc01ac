"""Run the job graph: start what is ready, note what failed, stop everything when asked to."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from mfbench.bench import jobs
from mfbench.bench.events import EventReader
from mfbench.bench.executors import Executor, Handle
from mfbench.bench.jobs import Job, Settings
from mfbench.bench.progress import Progress
from mfbench.bench.stage import Stage
from mfbench.bench.store import Failure, MissingParentError, Store
from mfbench.bench.worker import DISK_FULL, PREFLIGHT_FAILED
from mfbench.errors import PreflightError, RunError

POLL_S = 0.05


@dataclass(frozen=True)
class Interval:
    """Wall-clock time that a stage took."""

    kind: str
    started: float
    finished: float


@dataclass
class _Active:
    job: Job
    handle: Handle
    events: EventReader
    folder: Path
    stage: str | None = None
    kind: str = ""
    since: float = 0.0
    ended: set[str] = field(default_factory=set)


class Scheduler:
    """Runs jobs with at most `slots` at a time; an exclusive job runs alone and last."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        settings: Settings,
        progress: Progress,
        *,
        slots: int,
        cores: int,
        fail_fast: bool = False,
    ) -> None:
        self.store, self.executor, self.settings, self.progress = store, executor, settings, progress
        self.slots = slots if executor.parallel else 1
        self.cores = cores
        self.fail_fast = fail_fast
        self.waiting: list[Job] = []
        self.active: list[_Active] = []
        self.failed: set[str] = set()
        self.intervals: list[Interval] = []
        self.checked = False
        self.news = True
        self.attempt = 0

    def run(self, planned: list[Job]) -> None:
        """Run all jobs to their end; failed stages are in `failed`.

        Raises:
            PreflightError: if the checks of the first job failed; nothing ran then.
            RunError: if the disk is full.
        """
        self.waiting = jobs.most_urgent_first(planned)
        try:
            while self.waiting or self.active:
                if self.news:  # readiness asks the store about many stages; a training needs the cores more
                    self.news = False
                    self._launch()
                for active in list(self.active):
                    self._watch(active)
                if self.fail_fast and self.failed:
                    break
                self.progress.tick()
                time.sleep(POLL_S)
        finally:
            for active in self.active:
                active.handle.stop()

    def _launch(self) -> None:
        for job in list(self.waiting):
            if len(self.active) >= self.slots or (self.active and not self.checked):
                return
            if self._ready(job):
                self.waiting.remove(job)
                remaining = self._unblocked(job)
                if remaining:
                    self._start(replace(job, stages=tuple(remaining)))

    def _ready(self, job: Job) -> bool:
        if job.exclusive or any(active.job.exclusive for active in self.active):
            return not self.active and all(other.exclusive for other in self.waiting)
        unfinished = [other.stages for other in self.waiting if other is not job]
        unfinished += [active.job.stages for active in self.active]
        pending = {stage.id: stage for stages in unfinished for stage in stages}
        return not any(
            id_ in pending and id_ not in self.failed and not self.store.finished(pending[id_].spec)
            for id_ in job.external
        )

    def _unblocked(self, job: Job) -> list[Stage]:
        """The stages of a job that are not already doomed; the doomed ones are noted as failed."""
        remaining = []
        for stage in job.stages:
            doomed = [id_ for id_ in stage.spec.parents.values() if id_ in self.failed]
            if doomed:
                cause = self.store.failure(doomed[0])
                reason = f"{cause.type}: {cause.message}" if cause else "it failed"
                self._fail(stage.id, MissingParentError.__name__, f"a stage behind it failed: {reason}")
            else:
                remaining.append(stage)
        return remaining

    def _start(self, job: Job) -> None:
        self.attempt += 1
        folder = self.store.root / "jobs" / f"{job.name}.{self.attempt}"
        workers = self.cores if job.name == jobs.WORLD else 1
        threads = max(self.cores, self.settings.threads) if job.wide else self.settings.threads
        settings = replace(self.settings, threads=threads)
        jobs.write(folder, job, settings, workers=workers, preflight=not self.checked)
        handle = self.executor.start(folder, threads)
        self.active.append(_Active(job, handle, EventReader(folder), folder))

    def _watch(self, active: _Active) -> None:
        status = active.handle.poll()  # before reading: what it wrote last is then read below
        for event in active.events.new():
            self.progress.event(active.job.name, event)
            self.news |= event["event"] != "progress"
            if event["event"] == "preflight":
                self.checked = bool(event["ok"])
                if not event["ok"]:
                    raise PreflightError(event["message"])
            elif event["event"] == "start":
                active.stage, active.kind, active.since = event["stage"], event["kind"], event["time"]
            elif event["event"] == "end":
                self._ended(active, event["stage"], event["time"], ok=event["ok"])
        if status is not None:
            self.news = True
            self.active.remove(active)
            self.progress.drop(active.job.name)
            self._exited(active, status)

    def _ended(self, active: _Active, stage: str, finished: float, *, ok: bool) -> None:
        if stage == active.stage:
            self.intervals.append(Interval(active.kind, active.since, finished))
            active.stage = None
        active.ended.add(stage)
        if not ok:
            self.failed.add(stage)

    def _exited(self, active: _Active, status: int) -> None:
        """Judge the end of a process: all well, a full disk, or a crash in the middle of a stage."""
        if status == DISK_FULL:
            raise RunError(
                f"the disk of {self.store.root} is full; free some space, then the same command continues"
            )
        if status == 0:
            return
        if status == PREFLIGHT_FAILED and not self.checked:
            raise PreflightError("the checks before the run failed")
        left = [stage for stage in active.job.stages if stage.id not in active.ended]
        left = [stage for stage in left if not self.store.finished(stage.spec)]
        guilty = [stage for stage in left if stage.id == active.stage] or left
        for stage in guilty:
            self._fail(stage.id, "ProcessDied", _how(status), _tail(active.folder / "log.txt"))
        rest = tuple(stage for stage in left if stage not in guilty)
        if rest:
            self.waiting.insert(0, replace(active.job, stages=rest))

    def _fail(self, id_: str, kind: str, message: str, trace: str = "") -> None:
        self.failed.add(id_)
        self.news = True
        self.store.fail(Failure(id_, kind, message, trace))
        if kind == "ProcessDied":
            self.progress.say(f"FAILED stage {id_}: {message}")


def _how(status: int) -> str:
    if status >= 0:
        return f"the process ended with exit status {status} in the middle of a stage"
    hint = " (out of memory?)" if -status == signal.SIGKILL else ""
    return f"the process was ended by {signal.Signals(-status).name}{hint}"


def _tail(path: Path, lines: int = 20) -> str:
    if not path.is_file():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
