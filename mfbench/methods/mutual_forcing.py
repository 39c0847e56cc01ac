"""Mutual Forcing (arXiv 2604.25819), stage 3: one causal network, shared weights, two modes.

u(x_t, t, d; H, c) is the mean velocity over [t - d, t]: d = 0 is the multi-step mode, d > 0 the few-step
mode. The few-step mode writes the history; on that history the multi-step mode learns from real pairs and
teaches the few-step mode by self-distillation. Stage 1 is `AudioOnly` and `VideoOnly`, stage 2
`TeacherForcing` (both in `baselines`), whose checkpoint this stage starts from.

The authors released no code; what the paper leaves open is an option here. Its default was measured
(`experiments/mutual_options.py`, one option at a time): a choice was taken where `kavd_lite` was better at 2
or 4 steps and worse at neither, and a training step cost at most a twentieth more.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from mfbench.flows.samplers import Denoiser
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import few_step_spec, free_rollout, on_history, regenerated
from mfbench.methods.scores import causal_score
from mfbench.models.av_transformer import AVTransformer
from mfbench.options import (
    Count,
    EmaDecay,
    Guidance,
    JumpSizes,
    LearningRate,
    Level,
    Share,
    Shift,
    SomeShare,
    StepCounts,
    Steps,
    Weight,
)
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, Condition, LossOutput, SamplerSpec

TERMS = {"shortcut+dmd": (True, True), "shortcut": (True, False), "dmd": (False, True)}


@METHODS.register_module()
class MutualForcing(Method):
    """Few-step and multi-step modes of one causal network teach each other on self-generated history.

    Options (the paper's value where it gives one); those marked * are the ablations of the paper's claims:
        history: `free` few-step rollout, `regenerated` chunk by chunk from the real prefix, or * `real`.
        history_noise: level from which a regenerated chunk is re-denoised; 1 starts from pure noise.
        history_steps: jumps per chunk of the history.
        history_kv_grad: train the encoding of the history at t = 0 (its tokens are constants).
        shared_weights: * off, the multi-step mode is a network of its own (sampled at 16 steps and beyond,
            the student is then off its design).
        shortcut_share: share of a batch that trains the few-step mode; the rest trains FM.
        shortcut_target: `multi` integrates the multi-step mode in `substeps`, `halves` chains two half jumps.
        jump_sizes: sizes d drawn for ShortCut.
        target_weights: `live` or `ema` weights as teacher (a multi-step network of its own is live).
        guidance: CFG weight inside the targets (paper: 5).
        hybrid_weight: w in L_FM + w (2/3 L_ShortCut + 1/3 L_DMD).
        hybrid: both terms of it, or * one of them alone with its weight.
        dmd_every: DMD runs every r-th step; its effective weight is w / (3 r).
        dmd_steps: few-step chain lengths drawn for DMD.
        dmd_gradient: which calls of that chain carry the gradient.
        flexible_length: * train on clips of `min_chunks` chunks and more, or on whole clips only.
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
        history: Literal["free", "regenerated", "real"] = "regenerated",
        history_noise: Level = 0.4,
        history_steps: Steps = 4,
        history_kv_grad: bool = True,
        shared_weights: bool = True,
        shortcut_share: SomeShare = 0.5,
        shortcut_target: Literal["multi", "halves"] = "multi",
        substeps: Steps = 4,
        jump_sizes: JumpSizes = (0.125, 0.25, 0.5, 1.0),
        target_weights: Literal["live", "ema"] = "ema",
        guidance: Guidance = 1.5,
        hybrid_weight: Weight = 3.0,
        hybrid: Literal["shortcut+dmd", "shortcut", "dmd"] = "shortcut+dmd",
        dmd_every: Count = 2,
        dmd_steps: StepCounts = (2, 4, 8),
        dmd_gradient: Literal["straight_through", "exit", "last", "all"] = "straight_through",
        time_shift: Shift = 3.0,
        independent_times: bool = False,
        word_drop: Share = 0.1,
        flexible_length: bool = True,
        learning_rate: LearningRate = 1e-3,
        critic_learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
        multi_step_guidance: Guidance = 1.0,
        grid_shift: Shift = 1.0,
    ) -> None:
        start = self.parents[0]
        super().__init__(networks.copy_of(start), learning_rate=learning_rate, ema_decay=ema_decay)
        self.multi = None if shared_weights else networks.copy_of(start)
        self.with_shortcut, self.with_dmd = TERMS[hybrid]
        self.fake = networks.copy_of(start) if self.with_dmd else None
        self.history, self.history_noise, self.history_steps = history, history_noise, history_steps
        self.history_kv_grad = history_kv_grad
        self.shortcut_share, self.shortcut_target, self.substeps = shortcut_share, shortcut_target, substeps
        self.jump_sizes, self.target_weights, self.guidance = jump_sizes, target_weights, guidance
        self.hybrid_weight, self.dmd_every = hybrid_weight, dmd_every
        self.dmd_steps, self.dmd_gradient = dmd_steps, dmd_gradient
        self.time_shift, self.independent_times = time_shift, independent_times
        self.word_drop = word_drop
        self.flexible_length = flexible_length
        self.critic_learning_rate = critic_learning_rate
        self.multi_step_guidance, self.grid_shift = multi_step_guidance, grid_shift

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The shared weights of both modes (or both networks), and the fake score."""
        groups = super().parameter_groups()
        if self.multi is not None:
            groups["generator"] += list(self.multi.parameters())
        if self.fake is not None:
            groups["critic"] = list(self.fake.parameters())
        return groups

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
        first, rest = terms.split(batch, self.shortcut_share)
        few, few_history = terms.rows(batch, first), terms.clips(history, first)
        multi, multi_history = terms.rows(batch, rest), terms.clips(history, rest)
        losses = {"fm": self._multi_step_loss(multi, multi_history, generator)}
        total = losses["fm"]
        if self.with_shortcut:
            losses["shortcut"] = self._shortcut_loss(few, few_history, generator)
            total = total + self.hybrid_weight * 2 / 3 * losses["shortcut"]
        groups = {}
        if self.fake is not None:
            with_gradient = step % self.dmd_every == 0
            samples = self._few_step_samples(few, few_history, generator, with_gradient=with_gradient)
            if with_gradient:
                losses["dmd"] = self._dmd_loss(self.fake, samples, few, few_history, generator)
                total = total + self.hybrid_weight / 3 * losses["dmd"]
            losses["fake_fm"] = self._critic_loss(self.fake, samples, few, few_history, generator)
            groups["critic"] = losses["fake_fm"]
        groups = {"generator": total} | groups
        return LossOutput(groups, {name: float(loss.detach()) for name, loss in losses.items()})

    def _history(self, batch: AVBatch, generator: torch.Generator) -> AV:
        """1. H_few: the few-step mode writes the history, without gradient."""
        match self.history:
            case "real":
                return batch.latents
            case "free":
                return free_rollout(self.student, batch, self.history_steps, generator)
            case "regenerated":
                return regenerated(self.student, batch, self.history_steps, self.history_noise, generator)
        raise ValueError(f"history is free, regenerated or real, got {self.history!r}")

    def _multi_step_loss(self, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """2. E || u(x_t, t, 0; H_few) - (e - x_0) ||^2 on the real chunk."""
        x_0 = batch.latents
        condition = terms.dropped(batch.condition, self.word_drop, generator)
        network = self.student if self.multi is None else self.multi
        denoiser = self._trained_on(network, history, condition)
        drawn = objectives.independent_times if self.independent_times else objectives.shared_times
        return terms.flow_matching(denoiser, x_0, drawn(x_0, generator, shift=self.time_shift), generator)

    def _shortcut_loss(self, batch: AVBatch, history: AV, generator: torch.Generator) -> Tensor:
        """3. Regress u(x_t, t, d; H_few) on (x_t - y) / d with y from the stop-gradient teacher mode."""
        point, d = terms.jump_point(batch.latents, self.jump_sizes, generator)
        flow = causal_score(self._teacher(), history, batch.condition, self.guidance)
        match self.shortcut_target:
            case "multi":
                y = objectives.multi_step_target(flow, point, d, self.substeps)
            case "halves":
                jumps = causal_score(self._target(), history, batch.condition)
                y = objectives.two_jump_target(jumps, flow, point, d, min(self.jump_sizes))
            case _:
                raise ValueError(f"shortcut_target is multi or halves, got {self.shortcut_target!r}")
        few = self._trained_on(self.student, history, batch.condition)
        return objectives.weighted(objectives.shortcut(few, point, d, y))

    def _few_step_samples(
        self, batch: AVBatch, history: AV, generator: torch.Generator, *, with_gradient: bool
    ) -> AV:
        """Few-step samples of every chunk k given H_few below k; gradient by `dmd_gradient`."""
        steps = terms.draw(self.dmd_steps, generator)
        denoiser = self._trained_on(self.student, history, batch.condition)
        with torch.set_grad_enabled(with_gradient):
            return terms.few_step_samples(denoiser, batch.latents, steps, self.dmd_gradient, generator)

    def _dmd_loss(
        self, fake: AVTransformer, samples: AV, batch: AVBatch, history: AV, generator: torch.Generator
    ) -> Tensor:
        """4. DMD: real score = own multi-step mode (stop-gradient, CFG), fake score = online network."""
        tau = objectives.dmd_times(samples, generator, shift=1.0, per_chunk=True)
        real_score = causal_score(self._teacher(), history, batch.condition, self.guidance)
        fake_score = causal_score(fake, history, batch.condition)
        return terms.dmd(samples, real_score, fake_score, tau, generator)

    def _critic_loss(
        self, fake: AVTransformer, samples: AV, batch: AVBatch, history: AV, generator: torch.Generator
    ) -> Tensor:
        """Plain FM of the fake score on fresh few-step samples, on the same history tokens."""
        t = objectives.shared_times(samples, generator, shift=1.0)
        return terms.flow_matching(on_history(fake, history, batch.condition), samples.detach(), t, generator)

    def _teacher(self) -> AVTransformer:
        """The network whose multi-step mode teaches."""
        return self._target() if self.multi is None else self.multi

    def _target(self) -> AVTransformer:
        """The shared weights as a target."""
        match self.target_weights:
            case "ema":
                return self.ema
            case "live":
                return self.student
        raise ValueError(f"target_weights is live or ema, got {self.target_weights!r}")

    def _trained_on(self, network: AVTransformer, history: AV, condition: Condition) -> Denoiser:
        return on_history(network, history, condition, train_history=self.history_kv_grad)
