"""Weights & Biases, used only on request and never in the way of a run.

Another process imports it (`mfbench.tracker_process`) and gets its lines through a pipe that is never waited
for. Whatever breaks there costs values and one warning, not the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

_MODES: dict[str, Literal["offline", "online"]] = {"wandb-offline": "offline", "wandb": "online"}
_PROCESS = "mfbench.tracker_process"
_CLOSING_S = 5.0  # the end of a tracked run is waited for so long; what needs longer goes on without us
_LINGER_S = 300.0  # so long its process may go on (an upload), then it ends itself
_CAUSE_S = 0.5  # from the end of a pipe to the exit status of the process that held it
_UNSENT_BYTES = 2**20  # what a slow process may leave unread, beside the pipe's own 64 KiB
_TAIL_BYTES = 2**12
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "GOMAXPROCS")
# As whom, where to and how to reach it. Every other variable of Weights & Biases is a setting, and many of
# them (RUN_ID, RESUME, MODE, SWEEP_ID, SERVICE, ...) would change which run is written.
_KEPT = {
    f"WANDB_{name}"
    for name in (
        *("API_KEY", "IDENTITY_TOKEN_FILE", "CREDENTIALS_FILE", "USERNAME", "USER_EMAIL", "ENTITY"),
        *("ORGANIZATION", "BASE_URL", "APP_URL", "INSECURE_DISABLE_SSL", "HTTP_TIMEOUT"),
        *("FILE_PUSHER_TIMEOUT", "CONFIG_DIR", "CACHE_DIR", "DATA_DIR", "ERROR_REPORTING", "TAGS", "NOTES"),
    )
}


class Tracker:
    """One run of Weights & Biases, opened at its first value; where anything fails it falls silent.

    No method raises, and none waits for that process except `close`, 5 s at most (the value that finds it
    dead waits half a second for the cause). The mode is stated, never guessed: an online attempt that falls
    back to offline blocks for 90 s.

    Args:
        mode: `wandb-offline` or `wandb`.
        folder: the run folder; its name is the group.
        name: of this run within the group.
        id_: what tells it from every other of the run folder; a run with the same one is continued. Without
            it the run has an id that is never used again.
    """

    def __init__(self, mode: str, folder: str | Path, name: str, id_: str = "") -> None:
        if mode not in _MODES:
            raise ValueError(f"a tracker's mode is one of {', '.join(_MODES)}, got {mode!r}")
        self._mode, self._folder, self._name = _MODES[mode], Path(folder), name
        self._own = id_ or uuid.uuid4().hex[:16]
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._unsent = bytearray()
        self._over = self._dropped = False

    def log(self, values: dict[str, Any]) -> None:
        """Send numbers."""
        self._send({"values": values})

    def table(self, name: str, path: Path) -> None:
        """Send a CSV file as a table."""
        self._send({"table": name, "path": str(path)})

    def video(self, name: str, path: Path) -> None:
        """Send an mp4 file as a playable clip."""
        self._send({"video": name, "path": str(path)})

    def close(self) -> None:
        """End the run: at once where all is written, else by its own process after at most 5 s here."""
        process = self._process
        if process is not None and not self._over:
            try:
                self._end(process, time.monotonic() + _CLOSING_S)
            except Exception as error:  # whatever it is, tracking must not stop a run
                self._fail(error)
        self._over = True

    def _send(self, message: dict[str, object]) -> None:
        if self._over:
            return
        try:
            process = self._process or self._start()
            line = _line(message)
            if len(self._unsent) + len(line) <= _UNSENT_BYTES:
                self._unsent += line
            elif not self._dropped:
                self._dropped = True
                self._warn("takes its values too slowly; some are left out")
            self._flush(process)
        except Exception as error:  # whatever it is, tracking must not stop a run
            self._fail(error)

    def _start(self) -> subprocess.Popen[bytes]:
        """The process, in a session of its own: it outlives a stopped job to save the last values."""
        folder = self._folder.resolve()
        opening = {
            "mode": self._mode,
            "group": folder.name,
            "name": self._name,
            "id": f"{self._own}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}",
            "dir": str(folder),
            "watched": os.getpid(),
            "linger_s": _LINGER_S,
        }
        self._log = folder / "wandb" / f"{opening['id']}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _PROCESS, json.dumps(opening)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
                bufsize=0,
            )
        os.set_blocking(_pipe(self._process), False)
        return self._process

    def _flush(self, process: subprocess.Popen[bytes]) -> None:
        """Give the pipe what it takes now."""
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: os.write(_pipe(process), self._unsent)]

    def _end(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        self._unsent += _line({"end": True})
        self._flush(process)
        poller = select.poll()
        poller.register(_pipe(process), select.POLLOUT)
        while self._unsent and time.monotonic() < deadline:
            poller.poll(1000 * max(0.0, deadline - time.monotonic()))
            self._flush(process)
        _hang_up(process)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _reap(process)
            self._warn(f"did not end within {_CLOSING_S:g} s; it may go on by itself for {_LINGER_S:g} s")
            return
        if status:
            raise ChildProcessError(f"exit status {status}")

    def _fail(self, error: Exception) -> None:
        self._over = True
        cause = str(error) or type(error).__name__
        if self._process is not None:
            cause = self._told(self._process) or cause
            _hang_up(self._process)
            _reap(self._process)
        hint = "; --track wandb-offline needs no server" if self._mode == "online" else ""
        self._warn(f"failed ({cause}) and is given up{hint}")

    def _told(self, process: subprocess.Popen[bytes]) -> str:
        """The cause that the process told, empty where it told none."""
        try:
            status = process.wait(_CAUSE_S)
        except subprocess.TimeoutExpired:
            return ""
        if status < 0:
            return f"its process was ended by signal {-status}"
        try:
            assert self._log is not None
            lines = self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")

    def _warn(self, what: str) -> None:
        logging.getLogger(__name__).warning(
            "the run goes on, but Weights & Biases of %s %s", self._name, what
        )


def send_results(mode: str, run_folder: Path, report_folder: Path, clips: Mapping[str, Path]) -> None:
    """The final table and the gallery of a report; `clips` maps a name to an mp4 file."""
    tracker = Tracker(mode, run_folder, "report", "report")
    for name in ("cells", "comparisons"):
        tracker.table(name, report_folder / f"{name}.csv")
    for name, path in clips.items():
        tracker.video(name, path)
    tracker.close()


def _pipe(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    return process.stdin.fileno()


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Take note of the end of a process, whenever that is, so that no zombie stays."""
    with contextlib.suppress(RuntimeError):  # no more threads, or the interpreter is ending
        threading.Thread(target=process.wait, daemon=True).start()


def _line(message: dict[str, Any]) -> bytes:
    """A message; values that are not numbers of Python (a tensor, a numpy scalar) become some."""
    return json.dumps(message, default=float).encode() + b"\n"


def _environment() -> dict[str, str]:
    """Ours without what would change which run is written, on one thread."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WANDB_", "_WANDB_")) or name in _KEPT
    }
    return {**ours, **dict.fromkeys(_THREADS, "1")}
