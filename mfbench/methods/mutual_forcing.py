"""Mutual Forcing (arXiv 2604.25819), stage 3: one causal network, shared weights, two modes.

u(x_t, t, d; H, c) is the mean velocity over [t - d, t]: d = 0 is the multi-step mode, d > 0 the few-step
mode. The few-step mode writes the history; on that history the multi-step mode learns from real pairs and
teaches the few-step mode by self-distillation. Stage 1 is `AudioOnly` and `VideoOnly`, stage 2
`TeacherForcing` (both in `baselines`), whose checkpoint this stage starts from.

The authors released no code; what the paper leaves open is an option here.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from mfbench.flows.guidance import doubled, guided
from mfbench.flows.samplers import Denoiser, Gradient, GradientPolicy, fresh_noise, sample
from mfbench.flows.times import dyadic_jumps
from mfbench.methods import objectives
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import few_step_spec, free_rollout, on_history, regenerated
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, Condition, LossOutput, SamplerSpec, concatenate


@METHODS.register_module()
class MutualForcing(Method):
    """Few-step and multi-step modes of one causal network teach each other on self-generated history.

    Options (the paper's value where it gives one):
        history: `free` few-step rollout, or `regenerated` chunk by chunk from the real prefix.
        history_noise: level from which a regenerated chunk is re-denoised; 1 starts from pure noise.
        history_steps: jumps per chunk of the history.
        history_kv_grad: train the encoding of the history at t = 0 (its tokens are constants).
        shortcut_share: share of a batch that trains the few-step mode by ShortCut; the rest trains FM.
        shortcut_target: `multi` integrates the multi-step mode in `substeps`, `halves` chains two half jumps.
        jump_sizes: sizes d drawn for ShortCut.
        target_weights: `live` or `ema` weights as teacher.
        guidance: CFG weight inside the targets (paper: 5).
        hybrid_weight: w in L_FM + w (2/3 L_ShortCut + 1/3 L_DMD).
        dmd_every: DMD runs every r-th step; its effective weight is w / (3 r).
        dmd_steps: few-step chain lengths drawn for DMD.
        dmd_gradient: which calls of that chain carry the gradient.
        critic_learning_rate: of the fake score, at least the generator's for small networks.
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8)
    streaming = True
    budget_key = "few_step_steps"
    sampling_options = ("multi_step_guidance", "grid_shift")

    def __init__(
        self,
        networks: Parents,
        *,
        history: Literal["free", "regenerated"] = "regenerated",
        history_noise: float = 0.7,
        history_steps: int = 4,
        history_kv_grad: bool = True,
        shortcut_share: float = 0.5,
        shortcut_target: Literal["multi", "halves"] = "halves",
        substeps: int = 2,
        jump_sizes: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0),
        target_weights: Literal["live", "ema"] = "ema",
        guidance: float = 1.5,
        hybrid_weight: float = 1.5,
        dmd_every: int = 2,
        dmd_steps: tuple[int, ...] = (2, 4, 8),
        dmd_gradient: GradientPolicy = "straight_through",
        time_shift: float = 3.0,
        independent_times: bool = False,
        word_drop: float = 0.1,
        learning_rate: float = 1e-3,
        critic_learning_rate: float = 1e-3,
        ema_decay: float = 0.99,
        multi_step_guidance: float = 1.0,
        grid_shift: float = 1.0,
    ) -> None:
        student = networks.copy_of("TeacherForcing")
        super().__init__(student, learning_rate=learning_rate, ema_decay=ema_decay)
        self.fake = networks.copy_of("TeacherForcing")
        bad = [d for d in jump_sizes if not objectives.is_power_of_two_fraction(d)]
        if bad:
            raise ValueError(f"jump_sizes must be 1, 1/2, 1/4, ..; got {bad}")
        if not 0 < shortcut_share < 1:
            raise ValueError(f"shortcut_share must lie in (0, 1), got {shortcut_share}")
        self.history, self.history_noise, self.history_steps = history, history_noise, history_steps
        self.history_kv_grad = history_kv_grad
        self.shortcut_share, self.shortcut_target, self.substeps = shortcut_share, shortcut_target, substeps
        self.jump_sizes, self.target_weights, self.guidance = jump_sizes, target_weights, guidance
        self.hybrid_weight, self.dmd_every = hybrid_weight, dmd_every
        self.dmd_steps, self.dmd_gradient = dmd_steps, dmd_gradient
        self.time_shift, self.independent_times = time_shift, independent_times
        self.word_drop = word_drop
        self.critic_learning_rate = critic_learning_rate
        self.multi_step_guidance, self.grid_shift = multi_step_guidance, grid_shift

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The shared weights of both modes, and the fake score."""
        return {**super().parameter_groups(), "critic": list(self.fake.parameters())}

    def learning_rates(self) -> dict[str, float]:
        """Peak learning rates of both optimisers."""
        return {"generator": self.learning_rate, "critic": self.critic_learning_rate}

    def sampler(self, steps: int) -> SamplerSpec:
        """Few-step jumps up to 8 steps, the multi-step mode beyond."""
        if steps in self.on_design:
            return few_step_spec(steps)
        return self.multi_step_sampler(steps, guidance=self.multi_step_guidance, shift=self.grid_shift)

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:
        """L = L_FM + w (2/3 L_ShortCut + 1/3 L_DMD) for the shared weights, FM for the fake score."""
        history = self._history(batch, generator)
        cut = max(1, round(batch.latents.batch * self.shortcut_share))
        few, multi = _rows(batch, slice(0, cut)), _rows(batch, slice(cut, None))
        fm = self._multi_step_loss(multi, _rows_av(history, slice(cut, None)), generator)
        shortcut = self._shortcut_loss(few, _rows_av(history, slice(0, cut)), generator)
        with_dmd = step % self.dmd_every == 0
        samples = self._few_step_samples(
            few, _rows_av(history, slice(0, cut)), generator, with_gradient=with_dmd
        )
        losses = {"generator": fm + self.hybrid_weight * 2 / 3 * shortcut}
        logs = {"fm": float(fm.detach()), "shortcut": float(shortcut.detach())}
        if with_dmd:
            dmd = self._dmd_loss(samples, few, _rows_av(history, slice(0, cut)), generator)
            losses["generator"] = losses["generator"] + self.hybrid_weight / 3 * dmd
            logs["dmd"] = float(dmd.detach())
        losses["critic"] = self._critic_loss(samples, few, _rows_av(history, slice(0, cut)), generator)
        logs["fake_fm"] = float(losses["critic"].detach())
        return LossOutput(losses, logs)

    def _history(self, batch: AVBatch, generator: torch.Generator) -> AV:
        """1. H_few: the few-step mode writes the history, without gradient."""
        if self.history == "free":
            return free_rollout(self.student, batch, self.history_steps, generator)
        return regenerated(self.student, batch, self.history_steps, self.history_noise, generator)

    def _multi_step_loss(self, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """2. E || u(x_t, t, 0; H_few) - (e - x_0) ||^2 on the real chunk."""
        x_0 = batch.latents
        dropped = torch.rand(x_0.batch, generator=generator) < self.word_drop
        condition = batch.condition.drop(dropped.to(x_0.any.device))
        denoiser = self._student_on(history, condition)
        if self.independent_times:
            t = objectives.independent_times(x_0, generator, shift=self.time_shift)
        else:
            t = objectives.shared_times(x_0, generator, shift=self.time_shift)
        point = objectives.noised(x_0, t, generator)
        return objectives.weighted(objectives.flow_matching(denoiser, x_0, point))

    def _shortcut_loss(self, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """3. Regress u(x_t, t, d; H_few) on (x_t - y) / d with y from the stop-gradient teacher mode."""
        x_0 = batch.latents
        times, sizes = dyadic_jumps(x_0.batch, x_0.chunks, self.jump_sizes, generator)
        t, d = (x_0.map(lambda x, v=v: v.to(x)) for v in (times, sizes))  # type: ignore[misc]
        point = objectives.noised(x_0, t, generator)
        teacher = self.ema if self.target_weights == "ema" else self.student
        real = teach(teacher, history, batch.condition, self.guidance)
        if self.shortcut_target == "multi":
            y = objectives.multi_step_target(real, point, d, self.substeps)
        else:
            jumps = teach(teacher, history, batch.condition, 1.0)
            y = objectives.two_jump_target(jumps, real, point, d, min(self.jump_sizes))
        few = self._student_on(history, batch.condition)
        return objectives.weighted(objectives.shortcut(few, point, d, y))

    def _few_step_samples(
        self, batch: AVBatch, history: AV, generator: torch.Generator, *, with_gradient: bool
    ) -> AV:
        """Few-step samples of every chunk k given H_few below k; gradient by `dmd_gradient`."""
        steps = self.dmd_steps[int(torch.randint(len(self.dmd_steps), (), generator=generator))]
        index = int(torch.randint(steps, (), generator=generator))
        gradient = Gradient(self.dmd_gradient, index) if with_gradient else Gradient()
        noise = fresh_noise(batch.latents, generator)
        denoiser = self._student_on(history, batch.condition)
        with torch.set_grad_enabled(with_gradient):
            chain = sample(denoiser, noise, few_step_spec(steps), generator, gradient)
        if with_gradient and self.dmd_gradient == "straight_through":
            # the step moved x by d u, an ODE sample by u: divide the gradient by the step size
            return chain.map(lambda x: x.detach() + steps * (x - x.detach()))
        return chain

    def _dmd_loss(self, samples: AV, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """4. DMD: real score = own multi-step mode (stop-gradient, CFG), fake score = online network."""
        tau = objectives.dmd_times(samples, generator, shift=1.0, per_chunk=True)
        with torch.no_grad():
            point = objectives.noised(samples.detach(), tau, generator)
            zero = objectives.zeros(tau)
            teacher = self.ema if self.target_weights == "ema" else self.student
            real = teach(teacher, history, batch.condition, self.guidance)(point.x_t, tau, zero)
            fake = teach(self.fake, history, batch.condition, 1.0)(point.x_t, tau, zero)
        return objectives.weighted(objectives.dmd(samples, real, fake))

    def _critic_loss(self, samples: AV, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """Plain FM of the fake score on fresh few-step samples, on the same history tokens."""
        x_0 = samples.detach()
        denoiser = on_history(self.fake, history, batch.condition)
        t = objectives.shared_times(x_0, generator, shift=1.0)
        point = objectives.noised(x_0, t, generator)
        return objectives.weighted(objectives.flow_matching(denoiser, x_0, point))

    def _student_on(self, history: AV, condition: Condition) -> Denoiser:
        return on_history(self.student, history, condition, train_history=self.history_kv_grad)


def teach(network: AVTransformer, history: AV, condition: Condition, guidance: float) -> Denoiser:
    """A stop-gradient denoiser on the history, guided where `guidance` is not 1."""
    if guidance == 1.0:
        plain = on_history(network, history, condition)
    else:
        twice = concatenate([history, history], dim=0)
        plain = guided(on_history(network, twice, doubled(condition)), guidance)
    return torch.no_grad()(plain)


def _rows_av(x: AV, rows: slice) -> AV:
    return x.map(lambda z: z[rows])


def _rows(batch: AVBatch, rows: slice) -> AVBatch:
    c = batch.condition
    return AVBatch(_rows_av(batch.latents, rows), Condition(c.reference[rows], c.words[rows], c.null[rows]))
