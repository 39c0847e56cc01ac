"""Samplers: flat functions over a denoiser f(x_t, t, d), from noise at t = 1 to data at t = 0.

`euler` and `heun` integrate the multi-step mode (d = 0); `jump` chains few-step jumps (d = step size);
`renoise` predicts x_0 and adds fresh noise at the next level (the sampler of the DMD family).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

from mfbench.flows import path
from mfbench.types import AV, SamplerSpec, Solver


class Denoiser(Protocol):
    """A network bound to its history and condition: head output f for x_t, t and jump size d."""

    def __call__(self, x_t: AV, t: AV, d: AV) -> AV:
        """Head output f, shaped like x_t."""
        ...


GradientPolicy = Literal["none", "all", "last", "exit", "straight_through"]


@dataclass(frozen=True)
class Gradient:
    """Which denoiser calls of a chain carry a gradient.

    `none` and `all` speak for themselves; `last` is the last step; `exit` ends the chain at step `index`
    with its x_0 prediction (valid for re-noising samplers, Self-Forcing); `straight_through` lets step
    `index` carry the gradient and takes the displacement of the later steps as constant. With `two_pass` a
    rollout keeps no graph and replays chunk by chunk in the backward pass (see `rollout.rollout`).
    """

    policy: GradientPolicy = "none"
    index: int = 0
    two_pass: bool = False

    def tracks(self, step: int, steps: int) -> bool:
        """Whether the call at `step` (0-based of `steps`) runs with gradient."""
        match self.policy:
            case "none":
                return False
            case "all":
                return True
            case "last":
                return step == steps - 1
            case "exit" | "straight_through":
                return step == self.index
        raise ValueError(
            f"a gradient policy is one of {', '.join(get_args(GradientPolicy))}, got {self.policy!r}"
        )


NO_GRADIENT = Gradient()
Step = Callable[[Denoiser, AV, float, float, torch.Generator], AV]


def _times(x: AV, value: float) -> AV:
    return x.map(lambda z: torch.full(z.shape[:2], value, dtype=z.dtype, device=z.device))


def fresh_noise(like: AV, generator: torch.Generator) -> AV:
    """Standard normal noise shaped like `like`, drawn on the CPU so that devices agree."""

    def draw(z: Tensor) -> Tensor:
        return torch.randn(z.shape, generator=generator, dtype=z.dtype).to(z.device)

    return like.map(draw)


def euler_step(denoiser: Denoiser, x: AV, t: float, s: float, _: torch.Generator) -> AV:
    """One Euler step of the multi-step mode from t to s."""
    now = _times(x, t)
    return path.jump(x, denoiser(x, now, _times(x, 0.0)), now, _times(x, t - s))


def heun_step(denoiser: Denoiser, x: AV, t: float, s: float, generator: torch.Generator) -> AV:
    """One Heun step (trapezoid of two slopes); the step that ends at 0 is an Euler step."""
    if s == 0.0:
        return euler_step(denoiser, x, t, s, generator)
    now, then, zero = _times(x, t), _times(x, s), _times(x, 0.0)
    first = denoiser(x, now, zero)
    guess = path.jump(x, first, now, _times(x, t - s))
    second = path.velocity_of_head(guess, denoiser(guess, then, zero), then)
    mean = (path.velocity_of_head(x, first, now) + second).map(lambda u: 0.5 * u)
    return x - mean.scale(_times(x, t - s))


def jump_step(denoiser: Denoiser, x: AV, t: float, s: float, _: torch.Generator) -> AV:
    """One jump of the few-step mode from t to s."""
    now, size = _times(x, t), _times(x, t - s)
    return path.jump(x, denoiser(x, now, size), now, size)


def renoise_step(denoiser: Denoiser, x: AV, t: float, s: float, generator: torch.Generator) -> AV:
    """Predict x_0 from level t and bring it to level s with fresh noise."""
    f = denoiser(x, _times(x, t), _times(x, 0.0))
    if s == 0.0:
        return f
    return path.interpolate(f, fresh_noise(f, generator), _times(x, s))


SOLVERS: dict[Solver, Step] = {
    "euler": euler_step,
    "heun": heun_step,
    "jump": jump_step,
    "renoise": renoise_step,
}


def sample(
    denoiser: Denoiser,
    noise: AV,
    spec: SamplerSpec,
    generator: torch.Generator,
    gradient: Gradient = NO_GRADIENT,
) -> AV:
    """Run the chain of `spec` from `noise`; calls without gradient run under `no_grad`."""
    step, x, tracked = SOLVERS[spec.solver], noise, None
    for i, (t, s) in enumerate(zip(spec.times[:-1], spec.times[1:], strict=True)):
        tracks = gradient.tracks(i, spec.steps)
        target = 0.0 if gradient.policy == "exit" and tracks else s
        with torch.set_grad_enabled(torch.is_grad_enabled() and tracks):
            x = step(denoiser, x, t, target, generator)
        if tracks and gradient.policy == "exit":
            return x
        if tracks and gradient.policy == "straight_through":
            tracked, x = x, x.detach()
    if tracked is None:
        return x
    # the value is the chain's end, the gradient is that of the tracked step; adding a zero keeps both
    return x + (tracked - tracked.detach())
