"""A method as mmengine's Runner wants it: one `train_step`, one optimiser wrapper per parameter group."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from mfbench.methods.base import Method
from mfbench.training.batches import BatchPlan, LatentSet, step_generator
from mfbench.training.cost import CostMeter
from mfbench.training.probes import gradient_share
from mfbench.types import AV, AVBatch, Condition


class DivergenceError(RuntimeError):
    """A loss that is no longer finite."""


class MethodAdapter(BaseModel):  # type: ignore[misc]  # mmengine is untyped
    """Runs `Method.loss`, steps each group's optimiser and the EMA."""

    def __init__(self, method: Method, data: LatentSet, plan: BatchPlan, device: torch.device) -> None:
        super().__init__()
        self.method = method
        self.data, self.plan, self.device = data, plan, device
        self.meter = CostMeter()
        self.meter.watch(method)
        self.register_buffer("cost", torch.zeros(3, dtype=torch.float64))

    def forward(self, *_: Any) -> None:
        """Unused: training runs through `train_step`, sampling through `flows.rollout`."""
        raise RuntimeError("a method is trained by train_step and sampled by flows.rollout")

    def train_step(self, data: Tensor, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """One step: losses, one update per group that has a loss, EMA, logs."""
        step = int(data)
        batch = to_device(self.plan.batch(self.data, step), self.device)
        output = self.method.loss(batch, step, step_generator(self.plan.seed, step))
        for group, loss in output.losses.items():
            if not torch.isfinite(loss):
                raise DivergenceError(
                    f"the {group} loss of {type(self.method).__name__} is {float(loss)} at step {step}; "
                    "the last good checkpoint is kept: lower its learning rate and run again"
                )
        logs = dict(output.logs)
        for group, loss in output.losses.items():
            optim_wrapper[group].backward(loss)
            if group == "generator" and (share := gradient_share(self.method.student)) is not None:
                logs["gradient_share_audio"] = share
            optim_wrapper[group].step()
            optim_wrapper[group].zero_grad()
        self.method.update_ema()
        self._add_cost()
        return {name: torch.tensor(value) for name, value in logs.items()}

    def _add_cost(self) -> None:
        meter = self.meter
        self.cost += torch.tensor([meter.evaluations, meter.flops, meter.calls]).to(self.cost)
        meter.evaluations, meter.flops, meter.calls = 0.0, 0.0, 0


def to_device(batch: AVBatch, device: torch.device) -> AVBatch:
    """Move a batch."""
    c = batch.condition
    latents: AV = batch.latents.map(lambda x: x.to(device))
    return AVBatch(latents, Condition(c.reference.to(device), c.words.to(device), c.null.to(device)))
