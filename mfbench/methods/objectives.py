"""Objectives: small functions that methods put together; each formula once, with its source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from mfbench.flows import path, times
from mfbench.flows.samplers import Denoiser, fresh_noise
from mfbench.types import AV


@dataclass(frozen=True)
class Noised:
    """A noised clip: x_t, its noise and times [batch, chunks] per modality."""

    x_t: AV
    noise: AV
    t: AV


def noised(x_0: AV, t: AV, generator: torch.Generator) -> Noised:
    """x_t at the given times with fresh noise."""
    noise = fresh_noise(x_0, generator)
    return Noised(path.interpolate(x_0, noise, t), noise, t)


def shared_times(x: AV, generator: torch.Generator, *, shift: float, per_chunk: bool = True) -> AV:
    """Shifted-uniform times, one per chunk (or per clip), equal for both modalities."""
    shape = (x.batch, x.chunks) if per_chunk else (x.batch, 1)
    t = times.uniform_times(shape, generator, shift).expand(x.batch, x.chunks).to(x.any)
    return x.map(lambda _: t)


def independent_times(x: AV, generator: torch.Generator, *, shift: float) -> AV:
    """Shifted-uniform times per chunk, drawn for each modality."""
    return x.map(lambda z: times.uniform_times((x.batch, x.chunks), generator, shift).to(z))


def zeros(t: AV) -> AV:
    """d = 0, the multi-step mode."""
    return t.map(torch.zeros_like)


def weighted(errors: dict[str, Tensor], audio_weight: float = 1.0) -> Tensor:
    """Mean over clips, summed over modalities with a weight on audio."""
    total = [e.mean() * (audio_weight if name == "audio" else 1.0) for name, e in errors.items()]
    return torch.stack(total).sum()


def flow_matching(denoiser: Denoiser, x_0: AV, point: Noised) -> dict[str, Tensor]:
    """E || u(x_t, t, 0) - (e - x_0) ||^2 per modality and clip (Lipman et al. 2023); f's target is x_0."""
    return path.squared_error(denoiser(point.x_t, point.t, zeros(point.t)), x_0, point.t)


@torch.no_grad()
def multi_step_target(guided_multi: Denoiser, point: Noised, d: AV, substeps: int) -> AV:
    """y at t - d: the multi-step mode integrated from x_t in `substeps` Euler steps (stop-gradient).

    Mutual Forcing's ShortCut target; guidance enters here, at d = 0 only.
    """
    x, t = point.x_t, point.t
    step = d.map(lambda s: s / substeps)
    for _ in range(substeps):
        x = path.jump(x, guided_multi(x, t, zeros(t)), t, step)
        t = t.zip(step, lambda a, b: (a - b).clamp(min=1e-6))
    return x


@torch.no_grad()
def two_jump_target(few: Denoiser, guided_multi: Denoiser, point: Noised, d: AV, smallest: float) -> AV:
    """y at t - d from two consecutive half jumps (Frans et al. 2024, Eq. 4).

    Halves below `smallest` are steps of the (guided) multi-step mode, which anchors the recursion.
    """
    half = d.map(lambda s: 0.5 * s)
    x, t = point.x_t, point.t
    base = half.map(lambda h: h < smallest)
    for _ in range(2):
        jumps = few(x, t, half)
        flows = guided_multi(x, t, zeros(t))
        f = AV(
            *(
                None if a is None or b is None or m is None else torch.where(m[:, :, None, None], b, a)
                for a, b, m in (
                    (jumps.video, flows.video, base.video),
                    (jumps.audio, flows.audio, base.audio),
                )
            )
        )
        x = path.jump(x, f, t, half)
        t = t.zip(half, lambda a, b: (a - b).clamp(min=1e-6))
    return x


def shortcut(few: Denoiser, point: Noised, d: AV, y: AV) -> dict[str, Tensor]:
    """E || u(x_t, t, d) - (x_t - y) / d ||^2 per modality and clip, in head space."""
    target = path.head_target(point.x_t, path.mean_velocity(point.x_t, y, d), point.t)
    return path.squared_error(few(point.x_t, point.t, d), target, point.t)


def mean_flow(denoiser: Denoiser, x_0: AV, point: Noised, d: AV) -> dict[str, Tensor]:
    """E || u(x_t, t, d) - sg(v - d du/dt) ||^2 per modality and clip (Geng et al. 2025, Eq. 9-11)."""
    target = path.head_target(point.x_t, mean_flow_target(denoiser, x_0, point, d), point.t)
    return path.squared_error(denoiser(point.x_t, point.t, d), target, point.t)


@torch.no_grad()
def mean_flow_target(denoiser: Denoiser, x_0: AV, point: Noised, d: AV) -> AV:
    """v - d du/dt, the derivative taken along the path at a fixed end t - d of the interval.

    One forward-mode product with the tangent (v, 1, 1) of (x_t, t, d); the attention that supports it is the
    unfused one.
    """
    v = path.velocity(x_0, point.noise)
    one = point.t.map(torch.ones_like)
    with forward_ad.dual_level(), sdpa_kernel(SDPBackend.MATH):
        tangents = ((point.x_t, v), (point.t, one), (d, one))
        x_t, t, size = (value.zip(tangent, forward_ad.make_dual) for value, tangent in tangents)
        u = path.velocity_of_head(x_t, denoiser(x_t, t, size), t)
        change = u.map(lambda z: forward_ad.unpack_dual(z).tangent.clone())
    return v - change.scale(d)


def dmd(sample: AV, x0_real: AV, x0_fake: AV) -> dict[str, Tensor]:
    """1/2 || x - sg(x - g) ||^2 with g = (x0_fake - x0_real) / (mean |x - x0_real| + 1e-6).

    The normaliser is per clip and modality; float32. Yin et al. 2024 (arXiv 2311.18828, Eq. 7-8);
    x0_fake - x0_real = tau^2 / (1 - tau) (score_fake - score_real).
    """

    def loss(x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        with torch.no_grad():
            spread = (x - real).abs().mean(dim=(1, 2, 3), keepdim=True)
            gradient = (fake - real) / (spread + 1e-6)
            target = (x - gradient).float()
        return 0.5 * (x.float() - target).pow(2).mean(dim=(1, 2, 3))

    real, fake = x0_real.parts(), x0_fake.parts()
    return {name: loss(x, real[name], fake[name]) for name, x in sample.parts().items()}


def sid(sample: AV, x0_real: AV, x0_fake: AV, alpha: float) -> dict[str, Tensor]:
    """(x0_real - x0_fake) ((x0_real - x) - alpha (x0_real - x0_fake)) / mean |x - x0_real|, float32.

    Score identity distillation (Zhou et al. 2024, arXiv 2404.04057, Eq. 20) normalised as DMD; the gradient
    runs through the inputs of both scores.
    """

    def loss(x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        spread = (x - real).detach().abs().mean(dim=(1, 2, 3), keepdim=True) + 1e-6
        apart = (real - fake).float()
        return (apart * ((real - x).float() - alpha * apart) / spread).mean(dim=(1, 2, 3))

    real, fake = x0_real.parts(), x0_fake.parts()
    return {name: loss(x, real[name], fake[name]) for name, x in sample.parts().items()}


def dmd_times(x: AV, generator: torch.Generator, *, shift: float, per_chunk: bool) -> AV:
    """tau for the score comparison: shifted-uniform, then clamped to [0.02, 0.98]."""
    return shared_times(x, generator, shift=shift, per_chunk=per_chunk).map(lambda t: t.clamp(0.02, 0.98))
