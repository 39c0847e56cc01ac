"""Where curves go besides the record: a local file always, Weights & Biases only when asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.registry import VISBACKENDS
from mmengine.visualization.vis_backend import BaseVisBackend

from mfbench.tracker import Tracker


@VISBACKENDS.register_module()
class TrackerCurves(BaseVisBackend):  # type: ignore[misc]  # mmengine is untyped
    """Loss curves of one training to a `Tracker`, opened at the first value and closed with the training."""

    def __init__(self, save_dir: str, tracker: dict[str, str]) -> None:
        super().__init__(save_dir)
        self._tracker = Tracker(**tracker)

    @property
    def experiment(self) -> Tracker:
        """The tracker."""
        return self._tracker

    def _init_env(self) -> None:
        """Nothing to prepare; the tracker opens itself."""

    def add_scalars(
        self, scalar_dict: dict[str, Any], step: int = 0, file_path: str | None = None, **_: object
    ) -> None:
        """Send the values of one step."""
        del file_path
        self._tracker.log({**scalar_dict, "global_step": step})

    def close(self) -> None:
        """End the run, so that nothing waits for the end of the process."""
        self._tracker.close()


def backends(track: str, run_folder: Path, name: str, id_: str = "") -> list[dict[str, Any]]:
    """mmengine visualisation backends for `--track none|wandb-offline|wandb`.

    `id_` tells a training from every other of the run folder and is the same when one is continued.
    """
    local: dict[str, Any] = {"type": "LocalVisBackend"}
    if track == "none":
        return [local]
    tracker = {"mode": track, "folder": str(run_folder), "name": name, "id_": id_}
    return [local, {"type": "TrackerCurves", "tracker": tracker}]
