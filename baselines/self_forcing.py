"""Self-Forcing (arXiv 2506.08009): DMD on the model's own rollout with a bidirectional teacher.

The causal student is initialised by ODE regression (CausVid, arXiv 2412.07772, section 4.3), rolled out
with a re-noising sampler whose random exit step alone carries the gradient, and pulled towards a frozen
bidirectional real score against an online bidirectional fake score, five critic updates to one generator
update.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from mfbench.flows.guidance import doubled, guided
from mfbench.flows.rollout import rollout, whole_clip
from mfbench.flows.samplers import Denoiser, Gradient, fresh_noise
from mfbench.flows.times import grid
from mfbench.methods import objectives
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, whole
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, Condition, LossOutput, SamplerSpec


def renoise_spec(steps: int, shift: float, on_design: tuple[int, ...] = ()) -> SamplerSpec:
    """The step list 1000/750/500/250 warped by `shift`, re-warped for other step counts."""
    return SamplerSpec(solver="renoise", times=grid(steps, shift), off_design=steps not in on_design)


@METHODS.register_module()
class ODEInit(Method):
    """Initialisation of Self-Forcing: regress x_0 from states of the bidirectional teacher's ODE.

    The states are those at the student's step levels. Differs from the paper, which stores trajectories: here
    they are drawn afresh for every batch, with `teacher_steps` steps spread evenly over the levels.
    """

    version = 1
    parents = ("TeacherForcing", "Bidirectional")
    stage = "pretrain"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    flexible_length = False
    budget_key = "ode_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        teacher_steps: int = 16,
        teacher_guidance: float = 1.0,
        levels: int = 4,
        shift: float = 5.0,
        learning_rate: float = 1e-3,
        ema_decay: float = 0.99,
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


@METHODS.register_module()
class SelfForcing(Method):
    """DMD on the own rollout: ODE init, random exit step, re-noising, bidirectional scores, 5:1 critic.

    Options:
        shift: warp of the step list and of the score times.
        levels: length of the step list in training.
        exit_by: draw the exit step by `index` as in the original, or by `level` spacing.
        real_guidance: CFG weight w of the real score in the standard form (the original's s = 3 is w = 4).
        critic_ratio: critic updates per generator update.
    """

    version = 1
    parents = ("ODEInit", "Bidirectional")
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    flexible_length = False
    budget_key = "self_forcing_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        shift: float = 5.0,
        levels: int = 4,
        exit_by: Literal["index", "level"] = "index",
        real_guidance: float = 1.0,
        critic_ratio: int = 5,
        learning_rate: float = 5e-4,
        critic_learning_rate: float = 1e-3,
        ema_decay: float = 0.98,
    ) -> None:
        super().__init__(networks.copy_of("ODEInit"), learning_rate=learning_rate, ema_decay=ema_decay)
        self.real = networks.frozen("Bidirectional")
        self.fake = networks.copy_of("Bidirectional")
        self.shift, self.levels, self.exit_by = shift, levels, exit_by
        self.real_guidance, self.critic_ratio = real_guidance, critic_ratio
        self.critic_learning_rate = critic_learning_rate

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The student and the fake score."""
        return {**super().parameter_groups(), "critic": list(self.fake.parameters())}

    def learning_rates(self) -> dict[str, float]:
        """Peak learning rates of both optimisers."""
        return {"generator": self.learning_rate, "critic": self.critic_learning_rate}

    def sampler(self, steps: int) -> SamplerSpec:
        """The re-noising chain on the warped step list."""
        return renoise_spec(steps, self.shift, self.on_design)

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:
        """Critic every step, generator every `critic_ratio`-th (the original's 5:1)."""
        with_generator = step % self.critic_ratio == 0
        x = self._rollout(batch, generator, with_gradient=with_generator)
        losses: dict[str, Tensor] = {}
        logs: dict[str, float] = {}
        if with_generator:
            losses["generator"] = self._dmd_loss(x, batch.condition, generator)
            logs["dmd"] = float(losses["generator"].detach())
        losses["critic"] = self._critic_loss(x.detach(), batch.condition, generator)
        logs["fake_fm"] = float(losses["critic"].detach())
        return LossOutput(losses, logs)

    def _rollout(self, batch: AVBatch, generator: torch.Generator, *, with_gradient: bool) -> AV:
        """Own rollout from noise; one exit step for all chunks, its x_0 prediction is the output."""
        spec = renoise_spec(self.levels, self.shift)
        index = self._exit_step(spec.times, generator)
        noise = fresh_noise(batch.latents, generator)
        with torch.set_grad_enabled(with_gradient):
            return rollout(
                self.student, batch.condition, noise, spec, generator, gradient=Gradient("exit", index)
            )

    def _exit_step(self, times: tuple[float, ...], generator: torch.Generator) -> int:
        if self.exit_by == "index":
            return int(torch.randint(self.levels, (), generator=generator))
        spans = torch.tensor(times[:-1]) - torch.tensor(times[1:])
        return int(torch.multinomial(spans, 1, generator=generator))

    def _dmd_loss(self, x: AV, condition: Condition, generator: torch.Generator) -> Tensor:
        """One tau per clip: the scores are bidirectional."""
        tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=False)
        with torch.no_grad():
            point = objectives.noised(x.detach(), tau, generator)
            zero = objectives.zeros(tau)
            real = full_score(self.real, condition, self.real_guidance)(point.x_t, tau, zero)
            fake = full_score(self.fake, condition, 1.0)(point.x_t, tau, zero)
        return objectives.weighted(objectives.dmd(x, real, fake))

    def _critic_loss(self, x_0: AV, condition: Condition, generator: torch.Generator) -> Tensor:
        """Plain FM of the fake score on the fresh rollout."""
        t = objectives.shared_times(x_0, generator, shift=self.shift, per_chunk=False)
        point = objectives.noised(x_0, t, generator)
        errors = objectives.flow_matching(full_score(self.fake, condition, 1.0), x_0, point)
        return objectives.weighted(errors)


def full_score(network: AVTransformer, condition: Condition, guidance: float) -> Denoiser:
    """A bidirectional denoiser of the whole clip."""
    if guidance == 1.0:
        return whole(network, condition)
    return guided(whole(network, doubled(condition)), guidance)
