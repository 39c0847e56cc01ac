"""Teacher forcing: causal flow matching on clean context; stage 2 of Mutual Forcing and its control."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch

from mfbench.flows.samplers import Denoiser
from mfbench.flows.times import logit_normal_times
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, on_itself
from mfbench.methods.scores import whole
from mfbench.models.av_transformer import AVTransformer
from mfbench.options import EmaDecay, Guidance, LearningRate, Share, Shift
from mfbench.registry import METHODS
from mfbench.types import AV, Attention, AVBatch, Condition, LossOutput, SamplerSpec


class FlowMatching(Method):
    """Flow matching on pairs; `attention` says what a chunk sees of the clip.

    `own`: the clean chunks before it (teacher forcing); `causal`: those chunks as noisy as they are
    (diffusion forcing); `full`: all chunks, at one noise level (bidirectional).

    Options:
        times: distribution of training times, shifted-uniform or logit-normal.
        guidance, solver, grid_shift: how the checkpoint is sampled; they do not touch training.
    """

    sampling_options = ("guidance", "solver", "grid_shift")

    def __init__(
        self,
        student: AVTransformer,
        *,
        times: Literal["uniform", "logit_normal"],
        time_shift: Shift,
        word_drop: Share,
        learning_rate: LearningRate,
        ema_decay: EmaDecay,
        guidance: Guidance,
        solver: Literal["euler", "heun"],
        grid_shift: Shift,
    ) -> None:
        super().__init__(student, learning_rate=learning_rate, ema_decay=ema_decay)
        self.times, self.time_shift, self.word_drop = times, time_shift, word_drop
        self.guidance, self.solver, self.grid_shift = guidance, solver, grid_shift

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:  # noqa: ARG002
        """E || u(x_t, t, 0; context) - (e - x_0) ||^2 of both branches."""
        x_0 = batch.latents
        denoiser = self.denoiser(x_0, terms.dropped(batch.condition, self.word_drop, generator))
        t = self._times(x_0, generator)
        errors = objectives.flow_matching(denoiser, x_0, objectives.noised(x_0, t, generator))
        loss = objectives.weighted(errors)
        logs = {f"fm_{name}": float(e.mean().detach()) for name, e in errors.items()}
        return LossOutput({"generator": loss}, {"fm": float(loss.detach()), **logs})

    def _times(self, x_0: AV, generator: torch.Generator) -> AV:
        """Training times, one per chunk, or per clip where all chunks see each other."""
        per_chunk = self.attention != "full"
        match self.times:
            case "uniform":
                return objectives.shared_times(x_0, generator, shift=self.time_shift, per_chunk=per_chunk)
            case "logit_normal":
                shape = (x_0.batch, x_0.chunks if per_chunk else 1)
                drawn = logit_normal_times(shape, generator).expand(x_0.batch, x_0.chunks)
                return x_0.map(lambda x: drawn.to(x))
        raise ValueError(f"times is uniform or logit_normal, got {self.times!r}")

    def denoiser(self, x_0: AV, condition: Condition) -> Denoiser:
        """All chunks at once in the context that `attention` names."""
        match self.attention:
            case "full":
                return whole(self.student, condition)
            case "causal":
                return on_itself(self.student, condition)
            case "own":
                return on_history(self.student, x_0, condition)
        raise ValueError(f"attention is own, causal or full, got {self.attention!r}")

    def sampler(self, steps: int) -> SamplerSpec:
        """Integrate the velocity from noise to data."""
        return self.multi_step_sampler(
            steps, guidance=self.guidance, shift=self.grid_shift, solver=self.solver
        )


@METHODS.register_module()
class TeacherForcing(FlowMatching):
    """Causal flow matching on clean history: both branches coupled, trained on pairs."""

    version = 1
    parents: ClassVar[tuple[str, ...]] = ("VideoOnly", "AudioOnly")
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "joint_steps"
    common = True
    sampling_options = ("guidance", "solver", "grid_shift")

    def __init__(
        self,
        networks: Parents,
        *,
        times: Literal["uniform", "logit_normal"] = "uniform",
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 4e-3,
        ema_decay: EmaDecay = 0.995,
        guidance: Guidance = 1.0,
        solver: Literal["euler", "heun"] = "euler",
        grid_shift: Shift = 1.0,
    ) -> None:
        super().__init__(
            self.start(networks),
            times=times,
            time_shift=time_shift,
            word_drop=word_drop,
            learning_rate=learning_rate,
            ema_decay=ema_decay,
            guidance=guidance,
            solver=solver,
            grid_shift=grid_shift,
        )

    def start(self, networks: Parents) -> AVTransformer:
        """Both branches of stage 1 coupled in one network."""
        student = networks.copy_of("VideoOnly")
        student.load_branch(networks.trained["AudioOnly"], "audio")
        return student


@METHODS.register_module()
class ContinuedTeacherForcing(FlowMatching):
    """Control: teacher forcing continued with plain flow matching for Mutual Forcing's stage-3 cost."""

    version = 1
    parents = ("TeacherForcing", "MutualForcing")
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = True
    budget_key = "few_step_steps"
    cost_of = "MutualForcing"
    sampling_options = ("guidance", "solver", "grid_shift")

    def __init__(
        self,
        networks: Parents,
        *,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.99,
        guidance: Guidance = 1.0,
        solver: Literal["euler", "heun"] = "euler",
        grid_shift: Shift = 1.0,
    ) -> None:
        super().__init__(
            networks.copy_of("TeacherForcing"),
            times="uniform",
            time_shift=time_shift,
            word_drop=word_drop,
            learning_rate=learning_rate,
            ema_decay=ema_decay,
            guidance=guidance,
            solver=solver,
            grid_shift=grid_shift,
        )


@METHODS.register_module()
class Bidirectional(FlowMatching):
    """Full-attention flow matching over whole clips, started from the causal checkpoint: no streaming."""

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8, 16, 50)
    on_design = (1, 2, 4, 8, 16, 50)
    streaming = False
    flexible_length = False
    budget_key = "bidirectional_steps"
    sampling_options = ("guidance", "solver", "grid_shift")
    attention: ClassVar[Attention] = "full"

    def __init__(
        self,
        networks: Parents,
        *,
        time_shift: Shift = 3.0,
        word_drop: Share = 0.1,
        learning_rate: LearningRate = 2e-3,
        ema_decay: EmaDecay = 0.995,
        guidance: Guidance = 1.0,
        solver: Literal["euler", "heun"] = "euler",
        grid_shift: Shift = 1.0,
    ) -> None:
        super().__init__(
            networks.copy_of("TeacherForcing"),
            times="uniform",
            time_shift=time_shift,
            word_drop=word_drop,
            learning_rate=learning_rate,
            ema_decay=ema_decay,
            guidance=guidance,
            solver=solver,
            grid_shift=grid_shift,
        )
