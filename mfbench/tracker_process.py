"""The process that writes one run of Weights & Biases, started by `mfbench.tracker`.

Its argument says how to open the run; lines of JSON on standard input say what to log and, last, that this
was all. It ends by itself once nobody can write there any more, were it because its parent was killed.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

_OPENING_S = 20.0  # an unreachable server is given up after this long
_SALVAGE_S = 20.0  # after an error, to save what was logged before it
_NICENESS = 10  # below the training, but not so far that a busy machine makes the opening time out


def main(opening: dict[str, Any]) -> None:
    """Log all lines; an error is told on stderr, where the tracker looks for it, and ends the process."""
    os.nice(_NICENESS)
    lines = _own_input()
    _daemon(_end_after_hangup, lines.fileno(), opening["linger_s"])
    run, ended = None, False
    try:
        run = _opened(opening)
        ended = _logged(run, lines)
    except Exception as error:
        _daemon(_end_after, _SALVAGE_S)
        _tell(error)
        if run is not None:
            with contextlib.suppress(Exception):
                run.finish(exit_code=1)
        os._exit(1)
    run.finish(exit_code=0 if ended else 1)


def _own_input() -> BinaryIO:
    """Standard input under a descriptor that the service does not inherit, which may outlive this process."""
    lines = os.fdopen(os.dup(0), "rb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return lines


def _daemon(function: Callable[..., None], *arguments: float) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _end_after(seconds: float) -> None:
    time.sleep(seconds)
    os._exit(1)


def _end_after_hangup(descriptor: int, seconds: float) -> None:
    """Allow so long from the moment when nobody writes any more, even while unread lines wait."""
    poller = select.poll()
    poller.register(descriptor, 0)  # a hang-up is reported unasked
    poller.poll()
    _end_after(seconds)


def _opened(opening: dict[str, Any]) -> Any:
    import wandb

    settings = wandb.Settings(
        init_timeout=_OPENING_S,
        console="off",
        silent=True,
        disable_git=True,
        x_disable_meta=True,
        x_stats_pid=opening["watched"],
    )
    return wandb.init(
        project="mfbench",
        group=opening["group"],
        name=opening["name"],
        id=opening["id"],
        resume="allow",
        mode=opening["mode"],
        dir=opening["dir"],
        settings=settings,
    )


def _logged(run: Any, lines: Iterable[bytes]) -> bool:
    """Whether the lines came to their end, not only to that of the process that wrote them."""
    for line in lines:
        if not line.endswith(b"\n"):
            return False  # cut by a kill
        message = json.loads(line)
        if "end" in message:
            return True
        run.log(_values(message))
    return False


def _values(message: dict[str, Any]) -> dict[str, Any]:
    """What a message asks to log."""
    import wandb

    if "table" in message:
        with Path(message["path"]).open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        return {message["table"]: wandb.Table(columns=[*head], data=[*rows])}
    if "video" in message:
        name = message["video"]
        return {name: wandb.Video(message["path"], caption=name, format="mp4")}
    values: dict[str, Any] = message["values"]
    return values


def _tell(error: Exception) -> None:
    text = " ".join(str(error).split())
    sys.stderr.write(f"{type(error).__name__}: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
