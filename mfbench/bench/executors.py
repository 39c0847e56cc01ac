"""Where jobs run. Every executor runs the same hidden command `stage FOLDER`; state is on disk only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from mfbench.bench.worker import run_job
from mfbench.processes import PARENT_VARIABLE
from mfbench.registry import EXECUTORS

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Handle(Protocol):
    """A job that was started."""

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""

    def stop(self) -> None:
        """End the job and everything it started, and wait for it."""


class Executor(Protocol):
    """Starts jobs."""

    parallel: bool

    def start(self, folder: Path, threads: int) -> Handle:
        """Start the job of a folder."""


class _Ended:
    def __init__(self, status: int) -> None:
        self._status = status

    def poll(self) -> int | None:
        return self._status

    def stop(self) -> None:
        return


@EXECUTORS.register_module("in-process")
class InProcess:
    """Runs each job in this process, one after the other (tests, debuggers)."""

    parallel = False

    def __init__(self, lock: int) -> None:
        self.lock = lock

    def start(self, folder: Path, threads: int) -> Handle:  # noqa: ARG002  # threads are this process's own
        """Run the job to its end."""
        return _Ended(run_job(folder))


class _Process:
    def __init__(self, process: subprocess.Popen[bytes], patience_s: float = 5.0) -> None:
        self._process = process
        self._patience_s = patience_s

    def poll(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._patience_s)
        self._process.wait()


@EXECUTORS.register_module("local")
class LocalProcesses:
    """One child process per job, in its own process group; it dies with this process."""

    parallel = True

    def __init__(self, lock: int) -> None:
        self.lock = lock

    def start(self, folder: Path, threads: int) -> Handle:
        """Start `python -m mfbench stage FOLDER`, its output in `log.txt` of the folder."""
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mfbench", "stage", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(threads),
                process_group=0,
                pass_fds=(self.lock,),
            )
        return _Process(process)


def _environment(threads: int) -> dict[str, str]:
    """The environment of a job: its threads, safe checkpoint loading, and whose child it is."""
    return {
        **os.environ,
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
        PARENT_VARIABLE: str(os.getpid()),
    }
