"""Objectives against closed forms on Gaussian data."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mfbench.flows import path
from mfbench.flows.samplers import Denoiser
from mfbench.methods import objectives
from mfbench.methods.contexts import on_history
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, AVBatch, Condition
from tests.flows.test_samplers import STD, gaussian_few, gaussian_multi

CLIPS = 20000


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _data(clips: int = 64, std: float = STD) -> AV:
    draw = torch.randn(clips, 2, 1, 1, generator=_generator(5), dtype=torch.float64)
    return AV(std * draw, std * draw.flip(0))


def _at(x: AV, value: float) -> AV:
    return x.map(lambda z: torch.full(z.shape[:2], value, dtype=z.dtype))


def test_flow_matching_is_least_at_the_posterior_mean() -> None:
    """The exact denoiser beats a scaled one, and its loss is the known conditional variance."""
    x_0 = _data(CLIPS)
    t = 0.6
    point = objectives.noised(x_0, _at(x_0, t), _generator())
    exact = objectives.flow_matching(gaussian_multi, x_0, point)["video"].mean()
    off = objectives.flow_matching(lambda x, s, d: gaussian_multi(x, s, d).map(lambda f: 1.1 * f), x_0, point)
    variance = STD**2 * t**2 / ((1 - t) ** 2 * STD**2 + t**2)  # Var[x_0 | x_t]
    assert float(exact) == pytest.approx(variance / t**2, rel=0.05)
    assert float(off["video"].mean()) > float(exact)


@pytest.mark.parametrize("d", [0.125, 0.5])
def test_exact_few_step_mode_is_a_fixed_point_of_shortcut(d: float) -> None:
    """Two exact half jumps from x_t land where one exact jump does, so the loss is 0."""
    x_0 = _data()
    t = _at(x_0, 0.75)
    point = objectives.noised(x_0, t, _generator())
    step = _at(x_0, d)
    y = objectives.two_jump_target(gaussian_few, gaussian_multi, point, step, smallest=0.0)
    assert float(objectives.shortcut(gaussian_few, point, step, y)["video"].max()) < 1e-20


def test_multi_step_target_converges_to_the_exact_jump() -> None:
    x_0 = _data()
    point = objectives.noised(x_0, _at(x_0, 0.9), _generator())
    step = _at(x_0, 0.5)
    exact = path.jump(point.x_t, gaussian_few(point.x_t, point.t, step), point.t, step)
    errors = []
    for substeps in (4, 8, 64):
        y = objectives.multi_step_target(gaussian_multi, point, step, substeps)
        errors.append(float((y - exact).any.abs().max()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


def test_smallest_halves_use_the_multi_step_mode() -> None:
    """Below the smallest jump the target is two Euler steps of the d = 0 mode."""
    x_0 = _data()
    point = objectives.noised(x_0, _at(x_0, 0.5), _generator())
    step = _at(x_0, 0.125)

    def never(x_t: AV, t: AV, d: AV) -> AV:
        return x_t.map(lambda x: torch.full_like(x, float("nan")))

    y = objectives.two_jump_target(never, gaussian_multi, point, step, smallest=0.125)
    expected = objectives.multi_step_target(gaussian_multi, point, step, 2)
    assert torch.allclose(y.any, expected.any)


def test_the_mean_flow_target_is_right_on_average_for_the_exact_few_step_mode() -> None:
    """u - (v - d du/dt) is uncorrelated with x_t for the exact mean velocity, and is not for another one."""
    x_0 = _data(CLIPS)
    point, d = objectives.noised(x_0, _at(x_0, 0.8), _generator()), _at(x_0, 0.5)

    def slope(few: Denoiser) -> float:
        u = path.velocity_of_head(point.x_t, few(point.x_t, point.t, d), point.t)
        off = (u - objectives.mean_flow_target(few, x_0, point, d)).any
        return float((off * point.x_t.any).mean() / point.x_t.any.pow(2).mean())

    assert abs(slope(gaussian_few)) < 0.03
    assert abs(slope(gaussian_multi)) > 0.1  # a network that ignores d


def test_the_mean_flow_derivative_equals_finite_differences(network: AVTransformer, batch: AVBatch) -> None:
    """On the real network in float64, all chunks in parallel on their clean past."""
    network = network.double()
    c = batch.condition
    condition = Condition(c.reference.double(), c.words, c.null)
    x_0 = batch.latents.map(Tensor.double)
    denoiser = on_history(network, x_0, condition)
    point, d = objectives.noised(x_0, _at(x_0, 0.7), _generator()), _at(x_0, 0.4)
    v, h = path.velocity(x_0, point.noise), 1e-7

    def u(step: float) -> AV:
        t, size = (z.map(lambda s: s + step) for z in (point.t, d))
        x_t = point.x_t + v.map(lambda z: step * z)
        with torch.no_grad():
            return path.velocity_of_head(x_t, denoiser(x_t, t, size), t)

    change = (u(h) - u(-h)).map(lambda z: z / (2 * h))
    wanted, got = v - change.scale(d), objectives.mean_flow_target(denoiser, x_0, point, d)
    for name, value in wanted.parts().items():
        torch.testing.assert_close(got.parts()[name], value, rtol=1e-5, atol=1e-6)


def test_mean_flow_without_jumps_is_flow_matching() -> None:
    x_0 = _data()
    point = objectives.noised(x_0, _at(x_0, 0.6), _generator())
    plain = objectives.flow_matching(gaussian_multi, x_0, point)["audio"]
    torch.testing.assert_close(objectives.mean_flow(gaussian_multi, x_0, point, _at(x_0, 0))["audio"], plain)


def test_sid_follows_the_fisher_divergence_of_two_gaussians() -> None:
    """With alpha = 0.5 half of E |real - fake|^2 is left, since E (fake - x_0) . (real - fake) = 0."""
    tau, fake_std = 0.4, 0.9
    x_0 = AV.both(fake_std * torch.randn(1, 2 * CLIPS, 1, 1, generator=_generator(5), dtype=torch.float64))
    x_t = objectives.noised(x_0, _at(x_0, tau), _generator()).x_t

    def posterior_mean(std: float) -> AV:
        return x_t.map(lambda z: (1 - tau) * std**2 / ((1 - tau) ** 2 * std**2 + tau**2) * z)

    real, fake = posterior_mean(STD), posterior_mean(fake_std)
    spread = float((x_0 - real).any.abs().mean()) + 1e-6
    wanted = 0.5 * float((real - fake).any.pow(2).mean()) / spread
    assert float(objectives.sid(x_0, real, fake, alpha=0.5)["video"]) == pytest.approx(wanted, rel=0.02)
    assert float(objectives.sid(x_0, real, real, alpha=1.0)["video"]) == 0.0


def test_dmd_gradient_is_the_score_difference_over_its_normaliser() -> None:
    """Closed form: x0_fake - x0_real = tau^2 / (1 - tau) (score_fake - score_real) for two Gaussians."""
    tau, fake_std = 0.4, 0.9
    x = _data(8).map(lambda z: z.clone().requires_grad_())
    x_tau = x.detach()
    at = _at(x, tau)

    def marginal(std: float) -> float:
        return (1 - tau) ** 2 * std**2 + tau**2

    real = x_tau.map(lambda z: (1 - tau) * STD**2 / marginal(STD) * z)
    fake = x_tau.map(lambda z: (1 - tau) * fake_std**2 / marginal(fake_std) * z)
    assert at.any.shape == (8, 2)
    losses = objectives.dmd(x, real, fake)
    losses["video"].sum().backward()
    assert x.video is not None
    assert x_tau.video is not None
    assert real.video is not None
    scores = x_tau.video * (1 / marginal(STD) - 1 / marginal(fake_std))  # score_fake - score_real
    normaliser = (x_tau.video - real.video).abs().mean(dim=(1, 2, 3), keepdim=True) + 1e-6
    expected = tau**2 / (1 - tau) * scores / normaliser / 2  # mean over the two values of a clip
    assert x.video.grad is not None
    assert torch.allclose(x.video.grad, expected, rtol=1e-4)


def test_dmd_vanishes_when_the_student_is_exact() -> None:
    x = _data(4).map(lambda z: z.clone().requires_grad_())
    score = x.detach().map(lambda z: 0.3 * z)
    loss = objectives.dmd(x, score, score)["video"].sum()
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert x.video is not None
    assert x.video.grad is not None
    assert float(x.video.grad.abs().max()) == 0.0


def test_times_are_shared_or_independent_and_score_times_are_clamped() -> None:
    x = _data(200)
    shared = objectives.shared_times(x, _generator(), shift=1.0)
    assert torch.equal(shared.parts()["video"], shared.parts()["audio"])
    apart = objectives.independent_times(x, _generator(), shift=1.0)
    assert not torch.equal(apart.parts()["video"], apart.parts()["audio"])
    tau = objectives.dmd_times(x, _generator(), shift=5.0, per_chunk=False).any
    assert float(tau.min()) >= 0.02
    assert float(tau.max()) <= 0.98
    assert torch.equal(tau[:, 0], tau[:, 1])
