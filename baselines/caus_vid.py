"""CausVid (Yin et al. 2025, arXiv 2412.07772): DMD with diffusion forcing and bidirectional scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfbench.flows.times import grid
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_itself, renoise_spec
from mfbench.methods.scores import whole
from mfbench.options import Count, EmaDecay, Guidance, LearningRate, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, LossOutput, SamplerSpec


@METHODS.register_module()
class CausVid(Method):
    """One-call predictions of real chunks, each at a random level of the step list, matched by DMD.

    The context of a chunk are the chunks below it at their own levels; level 0 (a clean chunk, which stays as
    it is) is one of them, as in the release.

    Options:
        shift: warp of the step list and of the score times (the paper: 8).
        levels: noisy levels of the step list.
        real_guidance: CFG weight w of the real score in the standard form (the release's s = 3.5 is w = 4.5).
        critic_ratio: critic updates per generator update.
    """

    version = 1
    parents = ("ODEInit", "Bidirectional")
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    flexible_length = False
    budget_key = "caus_vid_steps"

    def __init__(
        self,
        networks: Parents,
        *,
        shift: Shift = 5.0,
        levels: Steps = 4,
        real_guidance: Guidance = 1.0,
        critic_ratio: Count = 5,
        learning_rate: LearningRate = 5e-4,
        critic_learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.98,
    ) -> None:
        super().__init__(networks.copy_of("ODEInit"), learning_rate=learning_rate, ema_decay=ema_decay)
        self.real = networks.frozen("Bidirectional")
        self.fake = networks.copy_of("Bidirectional")
        self.shift, self.levels, self.real_guidance = shift, levels, real_guidance
        self.critic_ratio, self.critic_learning_rate = critic_ratio, critic_learning_rate

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The student and the fake score."""
        return {**super().parameter_groups(), "critic": list(self.fake.parameters())}

    def learning_rates(self) -> dict[str, float]:
        """Peak learning rates of both optimisers."""
        return {"generator": self.learning_rate, "critic": self.critic_learning_rate}

    def sampler(self, steps: int) -> SamplerSpec:
        """The re-noising chain on the warped step list, context clean."""
        return renoise_spec(steps, self.shift, self.on_design)

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:
        """Critic every step, generator every `critic_ratio`-th."""
        condition = batch.condition
        with_generator = step % self.critic_ratio == 0
        losses: dict[str, Tensor] = {}
        with torch.set_grad_enabled(with_generator):
            x = self._predictions(batch, generator)
        if with_generator:
            tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=False)
            real = whole(self.real, condition, self.real_guidance)
            losses["generator"] = terms.dmd(x, real, whole(self.fake, condition), tau, generator)
        t = objectives.shared_times(x, generator, shift=self.shift, per_chunk=False)
        losses["critic"] = terms.flow_matching(whole(self.fake, condition), x.detach(), t, generator)
        return LossOutput(losses, {name: float(loss.detach()) for name, loss in losses.items()})

    def _predictions(self, batch: AVBatch, generator: torch.Generator) -> AV:
        """x_0 of every chunk predicted from its own level, in one pass; chunks at level 0 are kept."""
        x_0 = batch.latents
        levels = torch.tensor(grid(self.levels, self.shift))
        drawn = levels[torch.randint(len(levels), (x_0.batch, x_0.chunks), generator=generator)]
        t = x_0.map(lambda x: drawn.to(x))
        point = objectives.noised(x_0, t, generator)
        f = on_itself(self.student, batch.condition)(point.x_t, t, objectives.zeros(t))
        noisy = t.map(lambda s: (s > 0).to(s))
        return x_0 + (f - x_0).scale(noisy)
