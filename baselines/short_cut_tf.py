"""ShortCut with teacher forcing (Frans et al. 2024, arXiv 2410.12557, on clean history)."""

from __future__ import annotations

import torch
from torch import Tensor

from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import few_step_spec, on_history
from mfbench.methods.scores import causal_score
from mfbench.options import EmaDecay, Guidance, JumpSizes, LearningRate, Share, Shift, SomeShare
from mfbench.registry import METHODS
from mfbench.types import AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class ShortCutTF(Method):
    """Flow matching and step-size self-consistency on clean real history, EMA targets.

    Options:
        shortcut_share: share of a batch for self-consistency (the paper: 1/4).
        jump_sizes: sizes d; halves of the smallest are steps of the multi-step mode.
        guidance: CFG weight of that mode inside the targets.
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8)
    streaming = True
    budget_key = "few_step_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        shortcut_share: SomeShare = 0.25,
        jump_sizes: JumpSizes = (0.125, 0.25, 0.5, 1.0),
        guidance: Guidance = 1.5,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
    ) -> None:
        start = networks.copy_of("TeacherForcing")
        super().__init__(start, learning_rate=learning_rate, ema_decay=ema_decay)
        self.shortcut_share, self.jump_sizes, self.guidance = shortcut_share, jump_sizes, guidance
        self.time_shift, self.word_drop = time_shift, word_drop

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """Frans et al. 2024, Eq. 5, on the clean past."""
        few, multi = (terms.rows(batch, rows) for rows in terms.split(batch, self.shortcut_share))
        condition = terms.dropped(multi.condition, self.word_drop, generator)
        t = objectives.shared_times(multi.latents, generator, shift=self.time_shift)
        denoiser = on_history(self.student, multi.latents, condition)
        fm = terms.flow_matching(denoiser, multi.latents, t, generator)
        shortcut = self._shortcut_loss(few, generator)
        logs = {"fm": float(fm.detach()), "shortcut": float(shortcut.detach())}
        return LossOutput({"generator": fm + shortcut}, logs)

    def _shortcut_loss(self, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """One jump of size d equals two consecutive jumps of d/2 of the EMA network."""
        x_0, condition = batch.latents, batch.condition
        point, d = terms.jump_point(x_0, self.jump_sizes, generator)
        jumps = causal_score(self.ema, x_0, condition)
        flow = causal_score(self.ema, x_0, condition, self.guidance)
        y = objectives.two_jump_target(jumps, flow, point, d, min(self.jump_sizes))
        few = on_history(self.student, x_0, condition)
        return objectives.weighted(objectives.shortcut(few, point, d, y))

    def sampler(self, steps: int) -> SamplerSpec:
        """Few-step jumps up to 8 steps, the multi-step mode beyond."""
        if steps in self.on_design:
            return few_step_spec(steps)
        return self.multi_step_sampler(steps, guidance=1.0, shift=1.0)
