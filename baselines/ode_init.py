"""ODE initialisation (CausVid, arXiv 2412.07772, section 4.3; used alike by Self-Forcing)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from mfbench.flows.rollout import whole_clip
from mfbench.flows.samplers import fresh_noise
from mfbench.flows.times import grid
from mfbench.methods import objectives
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, renoise_spec
from mfbench.options import EmaDecay, Guidance, LearningRate, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class ODEInit(Method):
    """Initialisation of Self-Forcing: regress x_0 from states of the bidirectional teacher's ODE.

    The states are those at the student's step levels. Differs from the paper, which stores trajectories: here
    they are drawn afresh for every batch, with `teacher_steps` steps spread evenly over the levels.
    """

    version = 1
    parents = ("TeacherForcing", "Bidirectional")
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    flexible_length = False
    budget_key = "ode_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        teacher_steps: Steps = 16,
        teacher_guidance: Guidance = 1.0,
        levels: Steps = 4,
        shift: Shift = 5.0,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
    ) -> None:
        super().__init__(networks.copy_of("TeacherForcing"), learning_rate=learning_rate, ema_decay=ema_decay)
        self.teacher = networks.frozen("Bidirectional")
        self.teacher_steps, self.teacher_guidance = teacher_steps, teacher_guidance
        self.levels = grid(levels, shift)
        self.shift = shift

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """E || f(x_t, t; teacher's past) - x_0 ||^2 over the student's levels."""
        *states, x_0 = self.trajectory(batch, generator)
        index = torch.randint(len(states), (x_0.batch, x_0.chunks), generator=generator)
        t = x_0.map(lambda x: torch.tensor(self.levels)[index].to(x))
        x_t = _chosen(states, index)
        denoiser = on_history(self.student, x_0, batch.condition)
        f = denoiser(x_t, t, objectives.zeros(t))
        errors = (f - x_0).map(lambda e: e.pow(2).mean(dim=(1, 2, 3))).parts()
        loss = objectives.weighted(errors)
        return LossOutput({"generator": loss}, {"ode": float(loss.detach())})

    @torch.no_grad()
    def trajectory(self, batch: AVBatch, generator: torch.Generator) -> list[AV]:
        """States of the teacher's ODE at the student's levels, from noise (t = 1) to a clip (t = 0)."""
        states = [fresh_noise(batch.latents, generator)]
        substeps = max(1, round(self.teacher_steps / (len(self.levels) - 1)))
        for t, s in pairwise(self.levels):
            times = tuple(torch.linspace(t, s, substeps + 1, dtype=torch.float64).tolist())
            spec = SamplerSpec(solver="euler", times=times, guidance=self.teacher_guidance, streaming=False)
            states.append(whole_clip(self.teacher, batch.condition, states[-1], spec, generator))
        return states

    def sampler(self, steps: int) -> SamplerSpec:
        """The student's re-noising chain."""
        return renoise_spec(steps, self.shift, self.on_design)


def _chosen(states: list[AV], index: Tensor) -> AV:
    """For every chunk its state of number index [batch, chunks]."""
    rows, chunks = torch.meshgrid(*(torch.arange(n) for n in index.shape), indexing="ij")
    names = states[0].parts()
    parts = {n: torch.stack([s.parts()[n] for s in states])[index, rows, chunks] for n in names}
    return AV(parts.get("video"), parts.get("audio"))
