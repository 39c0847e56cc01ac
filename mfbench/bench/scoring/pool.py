"""Worker processes that survive their films: a crash or a hang of the decoder costs that film only."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from mfbench.processes import die_with_parent, memory_peak_mb

Task = TypeVar("Task")
Result = TypeVar("Result")

POLL_S = 0.2
START_S = 300.0  # imports and judges, on a busy machine


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    index: int | None = None  # of the task at work
    since: float = 0.0
    ready: bool = False


class Pool(Generic[Task, Result]):
    """Runs `work(setup(), task)` in processes; results come in the order of the tasks.

    Args:
        setup: makes what every worker needs once, such as loaded judges; must be importable.
        work: one task; its exceptions are re-raised here.
        lost: the result of a task whose process died (`None`) or took longer than `timeout_s`.

    Attributes:
        peak_mb: largest resident size of the workers that were there at the end; None before, or unknown.
    """

    def __init__(
        self,
        setup: Callable[[], object],
        work: Callable[[object, Task], Result],
        lost: Callable[[Task, str], Result],
        *,
        workers: int,
        timeout_s: float,
    ) -> None:
        self.setup, self.work, self.lost = setup, work, lost
        self.count, self.timeout_s = workers, timeout_s
        self.context = multiprocessing.get_context("spawn")
        self.workers: list[_Worker] = []
        self.peak_mb: float | None = None
        self.landed: Callable[[int, Result], None] | None = None

    def __enter__(self) -> Pool[Task, Result]:
        return self

    def __exit__(self, *error: object) -> None:
        peaks = [memory_peak_mb(worker.process.pid) for worker in self.workers if worker.process.pid]
        self.peak_mb = max((peak for peak in peaks if peak is not None), default=None)
        for worker in self.workers:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self.workers.clear()

    def run(
        self, tasks: Sequence[Task], landed: Callable[[int, Result], None] | None = None
    ) -> Iterator[Result]:
        """Results in order, each as soon as it and all before it are there.

        Args:
            tasks: to be carried out.
            landed: told the index and the result of each task that was worked through, at once.
        """
        done: dict[int, Result] = {}
        self.landed = landed
        waiting = list(range(len(tasks)))[::-1]
        following = 0
        while following < len(tasks):
            self._fill(min(self.count, len(waiting) + self._busy()))
            self._hand_out(tasks, waiting)
            for worker in self._answering():
                self._receive(worker, tasks, done)
            self._end_late(tasks, done)
            while following in done:
                yield done.pop(following)
                following += 1

    def _hand_out(self, tasks: Sequence[Task], waiting: list[int]) -> None:
        """A task to everyone idle; one that died while idle is noticed when its end of the pipe is read."""
        for worker in self.workers:
            if worker.ready and worker.index is None and waiting:
                index = waiting.pop()
                try:
                    worker.pipe.send(tasks[index])
                except OSError:
                    waiting.append(index)
                    continue
                worker.index, worker.since = index, time.monotonic()

    def _busy(self) -> int:
        return sum(worker.index is not None for worker in self.workers)

    def _fill(self, wanted: int) -> None:
        while len(self.workers) < wanted:
            ours, theirs = self.context.Pipe()
            process = self.context.Process(target=_serve, args=(theirs, self.setup, self.work, os.getpid()))
            process.start()
            theirs.close()
            self.workers.append(_Worker(process, ours, since=time.monotonic()))

    def _answering(self) -> list[_Worker]:
        ready = wait([worker.pipe for worker in self.workers], timeout=POLL_S)
        return [worker for worker in self.workers if worker.pipe in ready]

    def _receive(self, worker: _Worker, tasks: Sequence[Task], done: dict[int, Result]) -> None:
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._drop(worker, tasks, done, f"the process that read it died ({worker.process.exitcode})")
            return
        if kind == "ready":
            worker.ready = True
        elif kind == "error":
            raise value
        else:
            assert worker.index is not None
            done[worker.index] = value
            if self.landed is not None:
                self.landed(worker.index, value)
            worker.index = None

    def _end_late(self, tasks: Sequence[Task], done: dict[int, Result]) -> None:
        now = time.monotonic()
        for worker in list(self.workers):
            limit = self.timeout_s if worker.ready else START_S
            if (worker.index is not None or not worker.ready) and now - worker.since > limit:
                worker.process.kill()
                worker.process.join()
                self._drop(worker, tasks, done, f"it took longer than {limit:.0f} s")

    def _drop(self, worker: _Worker, tasks: Sequence[Task], done: dict[int, Result], why: str) -> None:
        """Forget a worker; a death before its first task is nobody's film's fault."""
        worker.pipe.close()
        self.workers.remove(worker)
        if not worker.ready:
            raise RuntimeError(f"a worker could not start: {why}")
        if worker.index is not None:
            done[worker.index] = self.lost(tasks[worker.index], why)


def _serve(
    pipe: Connection, setup: Callable[[], object], work: Callable[[object, Task], Result], parent: int
) -> None:
    die_with_parent(parent)
    try:
        state = setup()
        pipe.send(("ready", None))
        while True:
            pipe.send(("result", work(state, pipe.recv())))
    except EOFError:
        return
    except Exception as error:
        pipe.send(("error", error))
