"""Runner hooks: resume-safe checkpoints and a progress report."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mmengine.hooks import Hook

from mfbench.methods.base import Method

Probe = Callable[[Method], dict[str, float]]
Progress = Callable[[int, int, float], None]  # (steps done, steps in total, steps per second)


class PlainCheckpoint(Hook):  # type: ignore[misc]  # mmengine is untyped
    """Reduce the message hub to plain values, so that checkpoints load with weights only."""

    priority = "VERY_LOW"

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Replace history buffers by the few scalars that resume needs."""
        info = checkpoint["message_hub"]["runtime_info"]
        plain = {k: v for k, v in info.items() if type(v) in (int, float, str, bool)}
        checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": plain, "resumed_keys": {}}


class ProgressHook(Hook):  # type: ignore[misc]
    """Tell the caller how far training is, at most twice a second."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.started_s = 0.0
        self.first_iter = 0
        self.told_s = 0.0

    def before_train(self, runner: Any) -> None:
        """Remember where this process began."""
        self.started_s, self.first_iter = time.monotonic(), runner.iter

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Report the rate since this process began."""
        now = time.monotonic()
        done = runner.iter + 1
        if now - self.told_s > 0.5 or done == runner.max_iters:
            self.told_s = now
            self.progress(done, runner.max_iters, (done - self.first_iter) / max(now - self.started_s, 1e-9))


class CurveHook(Hook):  # type: ignore[misc]
    """Keep the loss curves in the model's checkpointed state, so that a resumed run has them whole."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.curves: dict[str, list[tuple[int, float]]] = {}

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Store the curves as plain lists."""
        checkpoint["curves"] = {name: [list(p) for p in points] for name, points in self.curves.items()}

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Continue the stored curves."""
        stored = checkpoint.get("curves", {})
        self.curves = {name: [(int(s), float(v)) for s, v in points] for name, points in stored.items()}

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Append the logged scalars of every `interval`-th step."""
        if outputs and runner.iter % self.interval == 0:
            for name, value in outputs.items():
                self.curves.setdefault(name, []).append((runner.iter, float(value)))


class ProbeHook(Hook):  # type: ignore[misc]
    """Look at the health of the method every `interval` steps and after the last, at no counted cost."""

    def __init__(self, probe: Probe, interval: int, curves: CurveHook) -> None:
        self.probe, self.interval, self.curves = probe, interval, curves
        self.seconds = 0.0

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add the probes to the curves and to what is tracked."""
        if runner.iter % self.interval and runner.iter + 1 < runner.max_iters:
            return
        started = time.monotonic()
        with runner.model.meter.paused():
            found = self.probe(runner.model.method)
        for name, value in found.items():
            self.curves.curves.setdefault(name, []).append((runner.iter, value))
        runner.visualizer.add_scalars(found, runner.iter)
        self.seconds += time.monotonic() - started
