"""The rectified-flow path and every conversion between noise, data, velocity and head output.

x_t = (1 - t) x_0 + t e with t = 1 noise and t = 0 data; v = e - x_0 (Liu et al. 2022, arXiv 2209.03003).
A network's head gives f with u = (x_t - f) / t the mean velocity over [t - d, t]; f estimates x_0 only at
d = 0 or d = t. Nothing here divides by a time that may be 0. Nobody else does this algebra.
Latents are Float[batch, chunks, tokens, channels], times and steps Float[batch, chunks].
"""

from __future__ import annotations

from torch import Tensor

from mfbench.types import AV

MIN_WEIGHT_TIME = 0.05


def interpolate(x_0: AV, noise: AV, t: AV) -> AV:
    """x_t = (1 - t) x_0 + t e."""
    return x_0.scale(t.map(lambda s: 1 - s)) + noise.scale(t)


def velocity(x_0: AV, noise: AV) -> AV:
    """v = e - x_0, the target of flow matching."""
    return noise - x_0


def jump(x_t: AV, f: AV, t: AV, d: AV) -> AV:
    """x_{t-d} = x_t - d u = (1 - d/t) x_t + (d/t) f, for 0 < d <= t."""
    ratio = d.zip(t, lambda step, time: step / time)
    return x_t.scale(ratio.map(lambda r: 1 - r)) + f.scale(ratio)


def head_target(x_t: AV, u: AV, t: AV) -> AV:
    """The head output f = x_t - t u that stands for a mean velocity u."""
    return x_t - u.scale(t)


def velocity_of_head(x_t: AV, f: AV, t: AV) -> AV:
    """u = (x_t - f) / t, for probes and Heun's second slope; t > 0."""
    return (x_t - f).scale(t.map(lambda s: 1 / s))


def mean_velocity(x_t: AV, y: AV, d: AV) -> AV:
    """(x_t - y) / d, the mean velocity of a path from x_t at t to y at t - d."""
    return (x_t - y).scale(d.map(lambda s: 1 / s))


def loss_weight(t: Tensor) -> Tensor:
    """1 / max(t, 0.05)^2: turns a squared error of f into one of u; only this weight is clamped."""
    return t.clamp(min=MIN_WEIGHT_TIME).pow(-2)


def squared_error(f: AV, target: AV, t: AV) -> dict[str, Tensor]:
    """Velocity error per modality and clip, Float[batch]: mean over chunks, tokens and channels."""
    error = (f - target).map(lambda e: e.pow(2).mean(dim=(2, 3)))
    return error.zip(t, lambda e, s: (loss_weight(s) * e).mean(dim=1)).parts()
