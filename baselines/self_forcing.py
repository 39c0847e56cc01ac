"""Self-Forcing (arXiv 2506.08009): distribution matching on the model's own rollout.

The causal student is rolled out with a re-noising sampler whose random exit step alone carries the gradient,
and pulled towards a frozen bidirectional real score against an online bidirectional fake score, five critic
updates to one generator update. Its variants change one thing each: the objective (SiD, GAN), the
initialisation (Causal-Forcing), the teacher (causal).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from baselines.discriminator import Discriminator
from mfbench.flows.rollout import rollout
from mfbench.flows.samplers import Denoiser, Gradient, fresh_noise
from mfbench.methods import objectives, terms
from mfbench.methods.base import Method, Parents
from mfbench.methods.contexts import on_history, renoise_spec
from mfbench.methods.scores import causal_score, constant, whole
from mfbench.models.av_transformer import AVTransformer
from mfbench.options import Count, EmaDecay, Guidance, LearningRate, Shift, Steps
from mfbench.registry import METHODS
from mfbench.types import AV, AVBatch, Condition, LossOutput, SamplerSpec


@METHODS.register_module()
class SelfForcing(Method):
    """DMD on the own rollout: ODE init, random exit step, re-noising, bidirectional scores, 5:1 critic.

    Options:
        shift: warp of the step list and of the score times.
        levels: length of the step list in training.
        exit_by: draw the exit step by `index` as in the original, or by `level` spacing.
        real_guidance: CFG weight w of the real score in the standard form (the original's s = 3 is w = 4).
        critic_ratio: critic updates per generator update.
        two_pass: back-propagate the rollout block by block, at the memory of one chunk.
    """

    version = 1
    parents = ("ODEInit", "Bidirectional")
    stage = "train"
    steps = (1, 2, 4, 8)
    on_design = (4,)
    streaming = True
    flexible_length = False
    budget_key = "self_forcing_steps"
    causal_scores = False

    def __init__(
        self,
        networks: Parents,
        *,
        shift: Shift = 5.0,
        levels: Steps = 4,
        exit_by: Literal["index", "level"] = "index",
        real_guidance: Guidance = 1.0,
        critic_ratio: Count = 5,
        two_pass: bool = False,
        learning_rate: LearningRate = 5e-4,
        critic_learning_rate: LearningRate = 1e-3,
        ema_decay: EmaDecay = 0.98,
    ) -> None:
        start, teacher = self.parents
        super().__init__(networks.copy_of(start), learning_rate=learning_rate, ema_decay=ema_decay)
        self.real = networks.frozen(teacher)
        self.fake = self.critic(networks)
        self.shift, self.levels, self.exit_by = shift, levels, exit_by
        self.real_guidance, self.critic_ratio = real_guidance, critic_ratio
        self.two_pass, self.critic_learning_rate = two_pass, critic_learning_rate

    def critic(self, networks: Parents) -> nn.Module:
        """The online network that follows the student: a fake score that starts from the real one."""
        return networks.copy_of(self.parents[1])

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
        if with_generator:
            losses["generator"] = self.generator_loss(x, batch, generator)
        losses["critic"] = self.critic_loss(x.detach(), batch, generator)
        return LossOutput(losses, {name: float(loss.detach()) for name, loss in losses.items()})

    def generator_loss(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """DMD; one tau per clip where the scores are bidirectional, per chunk where they are causal."""
        tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=self.causal_scores)
        real, fake = self.scores(x.detach(), batch.condition)
        return terms.dmd(x, real, fake, tau, generator)

    def critic_loss(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """Plain FM of the fake score on the fresh rollout."""
        t = objectives.shared_times(x, generator, shift=self.shift, per_chunk=self.causal_scores)
        return terms.flow_matching(self._follower(x, batch.condition), x, t, generator)

    def scores(self, x: AV, condition: Condition) -> tuple[Denoiser, Denoiser]:
        """Real and fake score of a rollout; causal ones see the rollout's own earlier chunks."""
        if self.causal_scores:
            real = causal_score(self.real, x, condition, self.real_guidance)
            return real, causal_score(self._fake_network(), x, condition)
        return whole(self.real, condition, self.real_guidance), whole(self._fake_network(), condition)

    def _follower(self, x: AV, condition: Condition) -> Denoiser:
        """The fake score with gradient into its weights."""
        network = self._fake_network()
        return on_history(network, x, condition) if self.causal_scores else whole(network, condition)

    def _fake_network(self) -> AVTransformer:
        assert isinstance(self.fake, AVTransformer)
        return self.fake

    def _rollout(self, batch: AVBatch, generator: torch.Generator, *, with_gradient: bool) -> AV:
        """Own rollout from noise; one exit step for all chunks, its x_0 prediction is the output."""
        spec = renoise_spec(self.levels, self.shift)
        gradient = Gradient("exit", self._exit_step(spec.times, generator), self.two_pass)
        noise = fresh_noise(batch.latents, generator)
        with torch.set_grad_enabled(with_gradient):
            return rollout(self.student, batch.condition, noise, spec, generator, gradient=gradient)

    def _exit_step(self, times: tuple[float, ...], generator: torch.Generator) -> int:
        match self.exit_by:
            case "index":
                return int(torch.randint(self.levels, (), generator=generator))
            case "level":
                spans = torch.tensor(times[:-1]) - torch.tensor(times[1:])
                return int(torch.multinomial(spans, 1, generator=generator))
        raise ValueError(f"exit_by is index or level, got {self.exit_by!r}")


@METHODS.register_module()
class CausalForcing(SelfForcing):
    """Self-Forcing started from a causal consistency model instead of bidirectional ODE pairs."""

    parents = ("CausalConsistency", "Bidirectional")


@METHODS.register_module()
class SelfForcingCausal(SelfForcing):
    """Self-Forcing with causal scores from the teacher-forced model: separates teacher type from history."""

    parents = ("ODEInit", "TeacherForcing")
    flexible_length = True
    causal_scores = True


@METHODS.register_module()
class SelfForcingSiD(SelfForcing):
    """Self-Forcing with score identity distillation (alpha = 1 as in Self-Forcing's release)."""

    def generator_loss(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """SiD; its gradient runs through the inputs of both scores, not into their weights."""
        tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=False)
        point = objectives.noised(x, tau, generator)
        with constant(self.fake):
            real, fake = (s(point.x_t, tau, objectives.zeros(tau)) for s in self.scores(x, batch.condition))
        return objectives.weighted(objectives.sid(x, real, fake, alpha=1.0))


@METHODS.register_module()
class SelfForcingGAN(SelfForcing):
    """Self-Forcing with a relativistic GAN against real clips, on noised latents.

    Its critic starts from the bidirectional network with a new read-out (`Discriminator`). Differs from the
    paper: real samples are training clips, not the teacher's.
    """

    penalty = 1.0

    def critic(self, networks: Parents) -> nn.Module:
        """A discriminator of noised clips."""
        return Discriminator(networks.copy_of(self.parents[1]))

    def generator_loss(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """softplus(D(real) - D(sample))."""
        with constant(self.fake):
            real, fake = self._logits(x, batch, generator)
        return nn.functional.softplus(real.detach() - fake).mean()

    def critic_loss(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """softplus(D(sample) - D(real)) and the change of both under small noise (approximate R1 and R2)."""
        real, fake = self._logits(x, batch, generator)
        roughness = self._roughness(x, batch, generator)
        return nn.functional.softplus(fake - real).mean() + self.penalty * roughness

    def _logits(self, x: AV, batch: AVBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Logits of the real clips and of the samples at one noise level and one noise."""
        tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=False)
        fake = objectives.noised(x, tau, generator)
        real = objectives.noised(batch.latents, tau, generator)
        return self._logit(real.x_t, tau, batch), self._logit(fake.x_t, tau, batch)

    def _roughness(self, x: AV, batch: AVBatch, generator: torch.Generator) -> Tensor:
        """Mean squared change of the logit under noise of spread 0.05, on real clips and on samples."""
        tau = objectives.dmd_times(x, generator, shift=self.shift, per_chunk=False)
        changes = []
        for clip in (batch.latents, x):
            here = objectives.noised(clip, tau, generator).x_t
            moved = here + fresh_noise(here, generator).map(lambda e: 0.05 * e)
            change = self._logit(here, tau, batch) - self._logit(moved, tau, batch)
            changes.append(change.pow(2).mean())
        return changes[0] + changes[1]

    def _logit(self, x_t: AV, tau: AV, batch: AVBatch) -> Tensor:
        logit: Tensor = self.fake(x_t, tau, batch.condition)
        return logit
