"""Loss terms that methods share: each draws its noise, calls its networks and returns one scalar.

The formulas are in `objectives`, which networks see what is in `contexts` and `scores`; here they meet.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mfbench.flows.samplers import Denoiser, Gradient, GradientPolicy, fresh_noise, sample
from mfbench.flows.times import dyadic_jumps
from mfbench.methods import objectives
from mfbench.methods.contexts import few_step_spec
from mfbench.types import AV, AVBatch, Condition


def flow_matching(denoiser: Denoiser, x_0: AV, t: AV, generator: torch.Generator) -> Tensor:
    """Flow matching at times t with fresh noise; also how a fake score follows the student's samples."""
    point = objectives.noised(x_0, t, generator)
    return objectives.weighted(objectives.flow_matching(denoiser, x_0, point))


def dmd(samples: AV, real: Denoiser, fake: Denoiser, tau: AV, generator: torch.Generator) -> Tensor:
    """Distribution matching: pull samples from where the fake score sees them to where the real one does."""
    with torch.no_grad():
        point = objectives.noised(samples.detach(), tau, generator)
        zero = objectives.zeros(tau)
        x0_real, x0_fake = (score(point.x_t, tau, zero) for score in (real, fake))
    return objectives.weighted(objectives.dmd(samples, x0_real, x0_fake))


def few_step_samples(
    denoiser: Denoiser, like: AV, steps: int, policy: GradientPolicy, generator: torch.Generator
) -> AV:
    """A chain of `steps` few-step jumps from noise; where gradients are on, `policy` says who carries them.

    With `straight_through` a random step carries it, divided by the step's size: that step moves x by d u
    where a sample of the ODE would by u.
    """
    index = int(torch.randint(steps, (), generator=generator))
    gradient = Gradient(policy, index) if torch.is_grad_enabled() else Gradient()
    chain = sample(denoiser, fresh_noise(like, generator), few_step_spec(steps), generator, gradient)
    if torch.is_grad_enabled() and policy == "straight_through":
        return chain.map(lambda x: x.detach() + steps * (x - x.detach()))
    return chain


def jump_point(x_0: AV, sizes: tuple[float, ...], generator: torch.Generator) -> tuple[objectives.Noised, AV]:
    """x_t at a time of the d-grid for a random jump size d of `sizes` (ShortCut), and d."""
    times, jumps = dyadic_jumps(x_0.batch, x_0.chunks, sizes, generator)
    t, d = (x_0.map(lambda x, v=v: v.to(x)) for v in (times, jumps))  # type: ignore[misc]
    return objectives.noised(x_0, t, generator), d


def draw(choices: tuple[int, ...], generator: torch.Generator) -> int:
    """One of the choices, all equally likely."""
    return choices[int(torch.randint(len(choices), (), generator=generator))]


def dropped(condition: Condition, share: float, generator: torch.Generator) -> Condition:
    """The word list of a random share of the clips dropped, which trains the null branch of guidance."""
    mask = torch.rand(len(condition.null), generator=generator) < share
    return condition.drop(mask.to(condition.null.device))


def split(batch: AVBatch, share: float) -> tuple[slice, slice]:
    """Rows of a batch for self-consistency and for flow matching, at least one each.

    Raises:
        ValueError: for a batch of one clip, of which one of them would get none.
    """
    count = batch.latents.batch
    if count < 2:
        raise ValueError(f"a batch of {count} clip cannot be shared; wanted are at least 2, see batch_size")
    cut = min(max(1, round(count * share)), count - 1)
    return slice(0, cut), slice(cut, None)


def rows(batch: AVBatch, which: slice) -> AVBatch:
    """Some clips of a batch."""
    c = batch.condition
    condition = Condition(c.reference[which], c.words[which], c.null[which])
    return AVBatch(clips(batch.latents, which), condition)


def clips(x: AV, which: slice) -> AV:
    """Some clips of a tensor pair."""
    return x.map(lambda z: z[which])
