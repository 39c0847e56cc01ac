"""THE autoregressive chunk loop: training, evaluation and streaming all run through it.

History is written by a separate pass at t = context_noise after each chunk and detached between chunks,
so a gradient never crosses a chunk border (Self-Forcing, arXiv 2506.08009, Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from mfbench.flows import path
from mfbench.flows.guidance import doubled, guided
from mfbench.flows.samplers import NO_GRADIENT, Denoiser, Gradient, fresh_noise, sample
from mfbench.types import AV, Attention, Condition, SamplerSpec, concatenate

History = TypeVar("History")  # what a network remembers of earlier chunks


class CausalNetwork(Protocol[History]):
    """What the rollout needs of a network (see `models.AVTransformer`)."""

    def new_cache(self, *, window: int | None = None, sinks: int = 0) -> History:
        """An empty history."""
        ...

    def encode(self, x: AV, condition: Condition, start: int, cache: History, time: float = 0.0) -> History:
        """Append chunks to the history."""
        ...

    def denoise(
        self,
        x_t: AV,
        t: AV,
        d: AV,
        condition: Condition,
        start: int,
        cache: History,
        attention: Attention = "own",
    ) -> AV:
        """Head output f."""
        ...


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How much history a rollout keeps and how it is stamped.

    Attributes:
        window: chunks of history kept; set it to the training length less one for long rollouts.
        sinks: first chunks never evicted.
        context_noise: noise level c given to history, data and stamp alike: (1 - c) x + c e at time c.
    """

    window: int | None = None
    sinks: int = 0
    context_noise: float = 0.0


def bind(
    network: CausalNetwork[History],
    condition: Condition,
    start: int,
    cache: History,
    attention: Attention = "own",
) -> Denoiser:
    """A denoiser for chunks start, start+1, .. with everything but (x_t, t, d) fixed."""

    def call(x_t: AV, t: AV, d: AV) -> AV:
        return network.denoise(x_t, t, d, condition, start, cache, attention)

    return call


def stream(
    network: CausalNetwork[History],
    condition: Condition,
    noise: AV,
    spec: SamplerSpec,
    generator: torch.Generator,
    *,
    horizon: Horizon = Horizon(),
    gradient: Gradient = NO_GRADIENT,
) -> Iterator[AV]:
    """Yield one chunk after another; the caller may stop at any time.

    With guidance both condition branches keep their own half of one doubled cache.
    """
    with_guidance = spec.guidance != 1.0
    bound = doubled(condition) if with_guidance else condition
    cache = network.new_cache(window=horizon.window, sinks=horizon.sinks)
    for k in range(noise.chunks):
        here = bound.slice(k, k + 1)
        denoiser = bind(network, here, k, cache)
        if with_guidance:
            denoiser = guided(denoiser, spec.guidance)
        chunk = sample(denoiser, noise.slice(k, k + 1), spec, generator, gradient)
        yield chunk
        if k + 1 < noise.chunks:
            with torch.no_grad():
                past = _noised(chunk.detach(), horizon.context_noise, generator)
                past = past.map(lambda x: torch.cat([x, x])) if with_guidance else past
                cache = network.encode(past, here, k, cache, horizon.context_noise)


def rollout(
    network: CausalNetwork[History],
    condition: Condition,
    noise: AV,
    spec: SamplerSpec,
    generator: torch.Generator,
    *,
    horizon: Horizon = Horizon(),
    gradient: Gradient = NO_GRADIENT,
) -> AV:
    """All chunks of `noise` (Float[batch, chunks, tokens, channels]) turned into a clip.

    Gradients stay inside a chunk, since histories are detached. A `two_pass` gradient gives the same ones at
    the memory of one chunk: this call keeps no graph, and the backward pass replays the stream with the same
    random numbers, chunk by chunk (two-pass block-wise back-propagation).
    """

    def again(generator: torch.Generator) -> Iterator[AV]:
        return stream(network, condition, noise, spec, generator, horizon=horizon, gradient=gradient)

    if gradient.two_pass and torch.is_grad_enabled():
        return _replayed(again, generator)
    return concatenate(list(again(generator)))


def _replayed(again: Callable[[torch.Generator], Iterator[AV]], generator: torch.Generator) -> AV:
    state = generator.get_state()
    with torch.no_grad():
        clip = concatenate(list(again(generator)))
    names = list(clip.parts())
    anchor = torch.zeros((), requires_grad=True)  # makes autograd call the replay; it has no gradient itself
    values = _Replay.apply(anchor, again, state, names, *clip.parts().values())  # type: ignore[no-untyped-call]
    made = dict(zip(names, values, strict=True))
    return AV(made.get("video"), made.get("audio"))


class _Replay(torch.autograd.Function):
    """The identity on a clip; its backward pass runs the stream again with gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        _: Tensor,
        again: Callable[[torch.Generator], Iterator[AV]],
        state: Tensor,
        names: list[str],
        *clip: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.again, ctx.state, ctx.names = again, state, names
        return tuple(x.view_as(x) for x in clip)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, ...]:
        generator = torch.Generator()
        generator.set_state(ctx.state)
        with torch.enable_grad():
            for k, chunk in enumerate(ctx.again(generator)):
                outputs = [chunk.parts()[name] for name in ctx.names]
                torch.autograd.backward(outputs, [g[:, k : k + 1] for g in gradients])
        return (None,) * (4 + len(gradients))


def whole_clip(
    network: CausalNetwork[History],
    condition: Condition,
    noise: AV,
    spec: SamplerSpec,
    generator: torch.Generator,
) -> AV:
    """Sample all chunks at once with full attention (the bidirectional baseline)."""
    with_guidance = spec.guidance != 1.0
    bound = doubled(condition) if with_guidance else condition
    denoiser = bind(network, bound, 0, network.new_cache(), "full")
    if with_guidance:
        denoiser = guided(denoiser, spec.guidance)
    return sample(denoiser, noise, spec, generator)


def _noised(x: AV, level: float, generator: torch.Generator) -> AV:
    if level == 0.0:
        return x

    def times(z: Tensor) -> Tensor:
        return torch.full(z.shape[:2], level, dtype=z.dtype, device=z.device)

    return path.interpolate(x, fresh_noise(x, generator), x.map(times))
