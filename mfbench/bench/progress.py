"""What a run prints while it works: one line per running job with rate and ETA."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass
class Running:
    """The stage that a job is at, and the rate of its recent progress."""

    job: str
    label: str
    started: float
    done: int = 0
    total: int = 0
    note: str = ""
    marks: list[tuple[float, int]] = field(default_factory=list)

    def advance(self, event: dict[str, Any]) -> None:
        """Take in a progress event."""
        self.done, self.total, self.note = event["done"], event["total"], event["note"]
        self.marks = [*self.marks[-40:], (event["time"], self.done)]

    def line(self, now: float) -> str:
        """`train TF-t0 1200/4000 52.1/s eta 0:54 loss 0.41`."""
        text = self.label
        if self.total:
            text += f" {self.done}/{self.total}"
            seconds = self.marks[-1][0] - self.marks[0][0]
            steps = self.marks[-1][1] - self.marks[0][1]
            if seconds > 0 and steps > 0:
                rate = steps / seconds
                text += f" {rate:.3g}/s eta {clock((self.total - self.done) / rate)}"
        return f"{text} [{clock(now - self.started)}] {self.note}".rstrip()


def clock(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


class Progress:
    """Prints running jobs: redrawn in place on a terminal, a plain line now and then elsewhere."""

    def __init__(self, total: int, stream: TextIO | None = None, every_s: float = 15.0) -> None:
        self.stream = stream if stream is not None else sys.stderr
        self.total = total
        self.finished = 0
        self.every_s = every_s
        self.running: dict[str, Running] = {}
        self._drawn = 0
        self._last = time.monotonic()
        self._live = self.stream.isatty()

    def event(self, job: str, event: dict[str, Any]) -> None:
        """Take in one event of a job."""
        handlers: dict[str, Callable[[str, dict[str, Any]], None]] = {
            "start": self._start,
            "progress": self._progress,
            "end": self._end,
        }
        if event["event"] in handlers:
            handlers[event["event"]](job, event)

    def drop(self, job: str) -> None:
        """A job's process has ended."""
        self.running.pop(job, None)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._erase()
        self.stream.write(text + "\n")
        self.stream.flush()

    def tick(self) -> None:
        """Redraw, or print the plain lines when it is time."""
        now = time.monotonic()
        if now - self._last < (0.2 if self._live else self.every_s):
            return
        self._last = now
        self._erase()
        count = f"[{self.finished}/{self.total}] " if self.total else ""
        lines = [f"{count}{job.line(time.time())}" for job in self.running.values()]
        self._drawn = len(lines)
        self.stream.write("".join(line + "\n" for line in lines))
        self.stream.flush()

    def _start(self, job: str, event: dict[str, Any]) -> None:
        self.running[job] = Running(job, event["label"], event["time"])

    def _progress(self, job: str, event: dict[str, Any]) -> None:
        if job in self.running:
            self.running[job].advance(event)

    def _end(self, job: str, event: dict[str, Any]) -> None:
        stage = self.running.pop(job, None)
        label = stage.label if stage else event["stage"]
        took = clock(event["time"] - stage.started) if stage else "?"
        self.finished += 1
        if not event["ok"]:
            self.say(f"FAILED {label}: {event['message']}")
        elif not self._live:
            self.say(f"[{self.finished}/{self.total}] {label} done in {took}")

    def _erase(self) -> None:
        if self._live and self._drawn:
            self.stream.write(f"\x1b[{self._drawn}A\x1b[J")
        self._drawn = 0
