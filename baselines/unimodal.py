"""Stage 1: each branch alone, causal, teacher-forced (Mutual Forcing, arXiv 2604.25819, stage 1)."""

from __future__ import annotations

import torch

from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history
from mfbench.models.av_transformer import BRANCH_PARTS
from mfbench.options import EmaDecay, LearningRate, Share, Shift
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


class _OneBranch(Method):
    """Teacher-forced flow matching of one modality with the very same network code."""

    stage = "pretrain"
    parents = ()
    budget_key = "unimodal_steps"
    common = True
    modality = "video"

    def __init__(
        self,
        networks: Parents,
        *,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 4e-3,
        ema_decay: EmaDecay = 0.99,
    ) -> None:
        super().__init__(networks.fresh, learning_rate=learning_rate, ema_decay=ema_decay)
        self.time_shift, self.word_drop = time_shift, word_drop
        for name in BRANCH_PARTS:
            for modality, part in getattr(self.student, name).items():
                part.requires_grad_(modality == self.modality)

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """E || u(x_t, t, 0; clean past) - (e - x_0) ||^2 of one branch."""
        present = batch.latents.parts()
        x_0 = AV(*(present[m] if m == self.modality else None for m in ("video", "audio")))
        condition = terms.dropped(batch.condition, self.word_drop, generator)
        t = objectives.shared_times(x_0, generator, shift=self.time_shift)
        loss = terms.flow_matching(on_history(self.student, x_0, condition), x_0, t, generator)
        return LossOutput({"generator": loss}, {"fm": float(loss.detach())})

    def sampler(self, steps: int) -> SamplerSpec:
        """Euler steps of the branch alone."""
        return self.multi_step_sampler(steps, guidance=1.0, shift=1.0)


@METHODS.register_module()
class VideoOnly(_OneBranch):
    """Stage 1 of the video branch: causal, teacher-forced, alone."""

    version = 1
    parents = ()
    stage = "pretrain"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "unimodal_steps"
    modality = "video"


@METHODS.register_module()
class AudioOnly(_OneBranch):
    """Stage 1 of the audio branch: causal, teacher-forced, alone."""

    version = 1
    parents = ()
    stage = "pretrain"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "unimodal_steps"
    modality = "audio"
