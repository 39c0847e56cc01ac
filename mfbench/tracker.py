"""Weights & Biases, used only on request and never in the way of a run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

_OPENING_S = 20.0  # an unreachable server is given up after this long; the run goes on without it
_MODES: dict[str, Literal["offline", "online"]] = {"wandb-offline": "offline", "wandb": "online"}


class Tracker:
    """One run of Weights & Biases, opened at its first value; where that fails it stays silent.

    The mode is stated, never guessed: an online attempt that falls back to offline blocks for 90 s.

    Args:
        mode: `wandb-offline` or `wandb`.
        folder: the run folder; its name is the group.
        name: of this run within the group.
    """

    def __init__(self, mode: str, folder: str | Path, name: str) -> None:
        if mode not in _MODES:
            raise ValueError(f"a tracker's mode is one of {', '.join(_MODES)}, got {mode!r}")
        self._mode, self._folder, self._name = _MODES[mode], Path(folder), name
        self._run: Any = None
        self._failed = False

    def log(self, values: dict[str, Any]) -> None:
        """Send values; tables and videos as `table` and `video` make them."""
        if self._run is None and not self._failed:
            self._open()
        if self._run is not None:
            self._run.log(values)

    def table(self, path: Path) -> Any:
        """A CSV file as a table."""
        import pandas as pd
        import wandb

        return wandb.Table(dataframe=pd.read_csv(path, keep_default_na=False, dtype=str))

    def video(self, path: Path, caption: str) -> Any:
        """An mp4 file as a playable clip."""
        import wandb

        return wandb.Video(str(path), caption=caption, format="mp4")

    def close(self) -> None:
        """End the run."""
        if self._run is not None:
            self._run.finish()
            self._run = None

    def _open(self) -> None:
        import wandb

        settings = wandb.Settings(
            init_timeout=_OPENING_S, console="off", silent=True, disable_git=True, x_disable_meta=True
        )
        try:
            self._run = wandb.init(
                project="mfbench",
                group=self._folder.name,
                name=self._name,
                mode=self._mode,
                dir=str(self._folder),
                settings=settings,
                reinit="finish_previous",
            )
        except Exception as error:  # whatever it is, tracking must not stop a run
            self._failed = True
            logging.getLogger(__name__).warning(
                "Weights & Biases could not be opened (%s); this run is not tracked. "
                "--track wandb-offline needs no server",
                error,
            )


def send_results(mode: str, run_folder: Path, report_folder: Path, clips: dict[str, Path]) -> None:
    """The final table and the gallery of a report; `clips` maps a name to an mp4 file."""
    tracker = Tracker(mode, run_folder, "report")
    for name in ("cells", "comparisons"):
        tracker.log({name: tracker.table(report_folder / f"{name}.csv")})
    for name, path in clips.items():
        tracker.log({name: tracker.video(path, name)})
    tracker.close()
