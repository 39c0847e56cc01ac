"""MeanFlow (Geng et al. 2025, arXiv 2505.13447) with teacher forcing: the continuous ShortCut."""

from __future__ import annotations

import torch
from torch import Tensor

from mfbench.flows import times
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import few_step_spec, on_history
from mfbench.options import EmaDecay, LearningRate, Share, Shift, Weight
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class MeanFlow(Method):
    """Mean velocity by its own derivative, u = v - d du/dt, on clean real history; no target network.

    Options:
        jump_share: share of the chunks with d > 0; the others are plain flow matching (the paper: 1/4).
        adaptive_power: p of the loss weight 1 / (error + 1e-3)^p (the paper's Eq. 22; 1 for images).
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "few_step_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        jump_share: Share = 0.5,
        adaptive_power: Weight = 0.5,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
    ) -> None:
        start = networks.copy_of("TeacherForcing")
        super().__init__(start, learning_rate=learning_rate, ema_decay=ema_decay)
        self.jump_share, self.adaptive_power = jump_share, adaptive_power
        self.time_shift, self.word_drop = time_shift, word_drop

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """|| u(x_t, t, d) - sg(v - d du/dt) ||^2 with a stop-gradient weight per clip."""
        x_0 = batch.latents
        condition = terms.dropped(batch.condition, self.word_drop, generator)
        t, d = self._interval(x_0, generator)
        point = objectives.noised(x_0, t, generator)
        errors = objectives.mean_flow(on_history(self.student, x_0, condition), x_0, point, d)
        weighted = {name: e / (e.detach() + 1e-3) ** self.adaptive_power for name, e in errors.items()}
        loss = objectives.weighted(weighted)
        logs = {f"mean_flow_{name}": float(e.mean().detach()) for name, e in errors.items()}
        return LossOutput({"generator": loss}, logs)

    def _interval(self, x: AV, generator: torch.Generator) -> tuple[AV, AV]:
        """Two shifted-uniform times per chunk: the later is t, their distance d, 0 for most chunks."""
        shape = (x.batch, x.chunks)
        ends = torch.stack([times.uniform_times(shape, generator, self.time_shift) for _ in range(2)])
        jumps = torch.rand(shape, generator=generator) < self.jump_share
        t = torch.where(jumps, ends.amax(0), ends[0])
        d = torch.where(jumps, ends.amax(0) - ends.amin(0), torch.zeros(shape))
        return _both(x, t), _both(x, d)

    def sampler(self, steps: int) -> SamplerSpec:
        """Equal jumps at every step count; d is continuous in training."""
        return few_step_spec(steps)


def _both(x: AV, value: Tensor) -> AV:
    return x.map(lambda z: value.to(z))
