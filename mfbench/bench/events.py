"""What a job tells the run: one JSON line per event, appended to `events.jsonl` of its folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

NAME = "events.jsonl"


class EventLog:
    """Writes the events of one job."""

    def __init__(self, folder: Path, quiet_s: float = 0.5) -> None:
        self._path = folder / NAME
        self._quiet_s = quiet_s
        self._last_progress = 0.0

    def write(self, event: str, facts: dict[str, Any]) -> None:
        """Append one event with its facts and the time of writing."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, "time": time.time(), **facts}) + "\n")

    def progress(self, stage: str, done: int, total: int, note: str) -> None:
        """Append a progress event, unless the last one is very recent and this is not the end."""
        now = time.monotonic()
        if done >= total or now - self._last_progress >= self._quiet_s:
            self._last_progress = now
            self.write("progress", {"stage": stage, "done": done, "total": total, "note": note})


class EventReader:
    """Reads the events of one job as they are appended."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """Complete lines since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]
