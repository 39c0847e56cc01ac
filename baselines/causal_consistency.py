"""Causal consistency distillation: the initialisation of Causal-Forcing, without ODE pairs.

A teacher-forced consistency model (Song et al. 2023, arXiv 2303.01469) distilled from the causal model
itself; a bidirectional teacher's pairs would teach a causal student a conditional mean (Causal-Forcing, Zhu
et al. 2026).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mfbench.flows import path
from mfbench.flows.times import grid
from mfbench.methods import objectives
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, renoise_spec
from mfbench.methods.scores import causal_score
from mfbench.options import EmaDecay, Guidance, LearningRate, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class CausalConsistency(Method):
    """f(x_t, t) = sg f_ema(x_s, s) with x_s one Euler step of the frozen teacher below x_t.

    Options:
        grid_steps: length N of the time grid; t and s are neighbours on it.
        teacher_guidance: CFG weight of the teacher's step (Causal-Forcing: 3).
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (1, 2, 4, 8)
    streaming = True
    budget_key = "consistency_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        grid_steps: Steps = 48,
        teacher_guidance: Guidance = 1.5,
        shift: Shift = 5.0,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
    ) -> None:
        start = networks.copy_of("TeacherForcing")
        super().__init__(start, learning_rate=learning_rate, ema_decay=ema_decay)
        self.teacher = networks.frozen("TeacherForcing")
        self.levels = grid(grid_steps, shift)
        self.teacher_guidance, self.shift = teacher_guidance, shift

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """|| f(x_t, t) - sg f_ema(x_s, s) ||^2 on the clean past; at s = 0 the target is x_s itself."""
        x_0, condition = batch.latents, batch.condition
        index = torch.randint(len(self.levels) - 1, (x_0.batch, x_0.chunks), generator=generator)
        t, s = (_at(x_0, torch.tensor(self.levels)[i]) for i in (index, index + 1))
        point = objectives.noised(x_0, t, generator)
        teacher = causal_score(self.teacher, x_0, condition, self.teacher_guidance)
        x_s = path.jump(point.x_t, teacher(point.x_t, t, objectives.zeros(t)), t, t - s)
        target = causal_score(self.ema, x_0, condition)(x_s, s, objectives.zeros(s))
        target = x_s + (target - x_s).scale(s.map(lambda z: (z > 0).to(z)))
        f = on_history(self.student, x_0, condition)(point.x_t, t, objectives.zeros(t))
        errors = (f - target).map(lambda e: e.pow(2).mean(dim=(1, 2, 3))).parts()
        loss = objectives.weighted(errors)
        return LossOutput({"generator": loss}, {"consistency": float(loss.detach())})

    def sampler(self, steps: int) -> SamplerSpec:
        """Predict x_0 and re-noise on the warped step list."""
        return renoise_spec(steps, self.shift, self.on_design)


def _at(x: AV, times: Tensor) -> AV:
    return x.map(lambda z: times.to(z))
