"""Error recycling (as in LongLive 2.0): the context carries the model's own past prediction errors.

The cheapest relative of a self-generated history: nothing is rolled out, errors are kept and added to real
chunks.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mfbench.flows import path
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history
from mfbench.options import EmaDecay, Guidance, LearningRate, Share, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


class Residuals(nn.Module):
    """Errors f - x_0 of the model, kept by chunk position and noise level; part of the state for resume."""

    def __init__(
        self, shapes: dict[str, tuple[int, int]], *, positions: int, levels: int, slots: int
    ) -> None:
        super().__init__()
        self.positions, self.levels, self.slots = positions, levels, slots
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(positions, levels, slots, *shape))

    def keep(self, errors: AV, t: AV, generator: torch.Generator) -> None:
        """Store the errors of the first clip, each in a random slot of its chunk and level."""
        chunks = torch.arange(errors.chunks) % self.positions
        level = self._level(t.any[0])
        slot = torch.randint(self.slots, (errors.chunks,), generator=generator)
        for name, error in errors.parts().items():
            getattr(self, name)[chunks, level, slot] = error[0].detach()

    def draw(self, like: AV, generator: torch.Generator) -> AV:
        """A stored error for every chunk, from a random level and slot; zeros where none is stored yet."""
        shape = (like.batch, like.chunks)
        chunks = (torch.arange(like.chunks) % self.positions).expand(shape)
        level = torch.randint(self.levels, shape, generator=generator)
        slot = torch.randint(self.slots, shape, generator=generator)
        parts = {name: getattr(self, name)[chunks, level, slot] for name in like.parts()}
        return AV(parts.get("video"), parts.get("audio"))

    def _level(self, t: Tensor) -> Tensor:
        return (t * self.levels).long().clamp(max=self.levels - 1).cpu()


@METHODS.register_module()
class ErrorRecycling(Method):
    """Teacher forcing continued with the model's own residual errors added to the context.

    Options:
        context_share: share of the context chunks that carry an error (LongLive 2: 0.9).
        latent_share: share of the chunks being denoised whose noisy input carries one; their target is clean.
        clean_share: share of the clips without any error.
        levels, slots: size of the memory per chunk position.
        guidance, solver, grid_shift: how the checkpoint is sampled; they do not touch training.
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "few_step_steps"
    sampling_options = ("guidance", "solver", "grid_shift")

    def __init__(
        self,
        networks: Parents,
        *,
        context_share: Share = 0.9,
        latent_share: Share = 0.9,
        clean_share: Share = 0.2,
        levels: Steps = 4,
        slots: Annotated[int, Field(ge=1, le=1024)] = 16,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
        guidance: Guidance = 1.0,
        solver: Literal["euler", "heun"] = "euler",
        grid_shift: Shift = 1.0,
    ) -> None:
        start = networks.copy_of("TeacherForcing")
        super().__init__(start, learning_rate=learning_rate, ema_decay=ema_decay)
        clip = start.spec.clip
        shapes = {
            "video": (clip.video_tokens_per_chunk, clip.video_channels),
            "audio": (clip.audio_tokens_per_chunk, clip.audio_channels),
        }
        self.residuals = Residuals(shapes, positions=clip.chunks, levels=levels, slots=slots)
        self.context_share, self.latent_share, self.clean_share = context_share, latent_share, clean_share
        self.time_shift, self.word_drop = time_shift, word_drop
        self.guidance, self.solver, self.grid_shift = guidance, solver, grid_shift

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """Flow matching towards clean chunks from inputs with recycled errors."""
        x_0 = batch.latents
        condition = terms.dropped(batch.condition, self.word_drop, generator)
        recycled = torch.rand((x_0.batch, 1), generator=generator) >= self.clean_share
        history = x_0 + self._errors(x_0, recycled, self.context_share, generator)
        t = objectives.shared_times(x_0, generator, shift=self.time_shift)
        off = x_0 + self._errors(x_0, recycled, self.latent_share, generator)
        point = objectives.noised(off, t, generator)
        f = on_history(self.student, history, condition)(point.x_t, t, objectives.zeros(t))
        self.residuals.keep(f - x_0, t, generator)
        loss = objectives.weighted(path.squared_error(f, x_0, t))
        return LossOutput({"generator": loss}, {"fm": float(loss.detach())})

    def _errors(self, x: AV, recycled: Tensor, share: float, generator: torch.Generator) -> AV:
        """Stored errors on a share of the chunks of the clips that are `recycled`."""
        with_error = recycled & (torch.rand((x.batch, x.chunks), generator=generator) < share)
        return self.residuals.draw(x, generator).scale(x.map(lambda z: with_error.to(z)))

    def sampler(self, steps: int) -> SamplerSpec:
        """Integrate the velocity from noise to data."""
        return self.multi_step_sampler(
            steps, guidance=self.guidance, shift=self.grid_shift, solver=self.solver
        )
