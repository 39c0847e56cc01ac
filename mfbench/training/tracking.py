"""Where curves go besides the record: a local file always, Weights & Biases only when asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def backends(track: str, run_folder: Path, name: str) -> list[dict[str, Any]]:
    """mmengine visualisation backends for `--track none|wandb-offline|wandb`.

    The mode is stated, never guessed: an online attempt that falls back to offline would block for a minute.
    """
    local: dict[str, Any] = {"type": "LocalVisBackend"}
    if track == "none":
        return [local]
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_CONSOLE", "off")
    mode = {"wandb-offline": "offline", "wandb": "online"}[track]
    init = {
        "project": "mfbench",
        "name": name,
        "group": run_folder.name,
        "mode": mode,
        "dir": str(run_folder),
    }
    return [local, {"type": "WandbVisBackend", "init_kwargs": init}]
