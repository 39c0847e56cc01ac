"""DMD with teacher forcing: distribution matching of a few-step student on clean real history.

DMD2 (Yin et al. 2024, arXiv 2405.14867) with its simulated chain, as the "DMD + TF" row of Self-Forcing and
of Mutual Forcing; the scores are causal and see the same clean history.
"""

from __future__ import annotations

import torch
from torch import nn

from mfbench.flows.samplers import Gradient, fresh_noise, sample
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, renoise_spec
from mfbench.methods.scores import causal_score
from mfbench.options import Count, EmaDecay, Guidance, LearningRate, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class DMDTF(Method):
    """DMD on clean real history; real score = frozen causal teacher, fake score online and causal.

    Options:
        shift: warp of the step list and of the score times.
        levels: length of the step list in training.
        real_guidance: CFG weight of the real score.
        critic_ratio: critic updates per generator update.
    """

    version = 1
    parents = ("TeacherForcing",)
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    budget_key = "dmd_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        shift: Shift = 5.0,
        levels: Steps = 4,
        real_guidance: Guidance = 1.5,
        critic_ratio: Count = 5,
        learning_rate: LearningRate = 5e-4,
        critic_learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.98,
    ) -> None:
        start = networks.copy_of("TeacherForcing")
        super().__init__(start, learning_rate=learning_rate, ema_decay=ema_decay)
        self.real = networks.frozen("TeacherForcing")
        self.fake = networks.copy_of("TeacherForcing")
        self.shift, self.levels, self.real_guidance = shift, levels, real_guidance
        self.critic_ratio, self.critic_learning_rate = critic_ratio, critic_learning_rate

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
        """Critic every step, generator every `critic_ratio`-th; both see the real chunks below k."""
        real, condition = batch.latents, batch.condition
        with_generator = step % self.critic_ratio == 0
        losses = {}
        with torch.set_grad_enabled(with_generator):
            x = self._samples(batch, generator)
        fake = causal_score(self.fake, real, condition)
        if with_generator:
            tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=True)
            teacher = causal_score(self.real, real, condition, self.real_guidance)
            losses["generator"] = terms.dmd(x, teacher, fake, tau, generator)
        t = objectives.shared_times(x, generator, shift=self.shift)
        follower = on_history(self.fake, real, condition)
        losses["critic"] = terms.flow_matching(follower, x.detach(), t, generator)
        return LossOutput(losses, {name: float(loss.detach()) for name, loss in losses.items()})

    def _samples(self, batch: AVBatch, generator: torch.Generator) -> AV:
        """Every chunk by the re-noising chain up to a random exit step, on the real chunks below it."""
        spec = renoise_spec(self.levels, self.shift)
        index = int(torch.randint(self.levels, (), generator=generator))
        denoiser = on_history(self.student, batch.latents, batch.condition)
        noise = fresh_noise(batch.latents, generator)
        return sample(denoiser, noise, spec, generator, Gradient("exit", index))
