"""Samplers on problems with a known answer, and the gradient policies."""

from __future__ import annotations

import pytest
import torch

from mfbench.flows.guidance import guided
from mfbench.flows.samplers import Gradient, fresh_noise, sample
from mfbench.flows.times import dyadic_jumps, grid, shift, uniform_times
from mfbench.types import AV, SamplerSpec

STD = 0.5  # the data: a centred Gaussian with this standard deviation


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _noise() -> AV:
    like = AV(torch.zeros(2, 1, 3, 4, dtype=torch.float64), torch.zeros(2, 1, 1, 5, dtype=torch.float64))
    return fresh_noise(like, _generator())


def gaussian_multi(x_t: AV, t: AV, d: AV) -> AV:
    """f = E[x_0 | x_t] for Gaussian data: the exact multi-step mode."""
    gain = t.map(lambda s: (1 - s) * STD**2 / ((1 - s) ** 2 * STD**2 + s**2))
    return x_t.scale(gain)


def gaussian_few(x_t: AV, t: AV, d: AV) -> AV:
    """f = x_t - t u with u the exact mean velocity: the flow map scales by the ratio of marginal stds."""

    def spread(s: torch.Tensor) -> torch.Tensor:
        return ((1 - s) ** 2 * STD**2 + s**2).sqrt()

    ratio = t.zip(d, lambda s, step: spread(s - step) / spread(s))
    u = t.zip(d, lambda s, step: 1 / step).zip(ratio, lambda inv, r: inv * (1 - r))
    return x_t - x_t.scale(u).scale(t)


def _run(solver: str, steps: int, factor: float = 1.0) -> float:
    denoiser = gaussian_few if solver == "jump" else gaussian_multi
    spec = SamplerSpec(solver=solver, times=grid(steps, factor))
    noise = _noise()
    out = sample(denoiser, noise, spec, _generator())
    return float((out - noise.map(lambda e: STD * e)).video.abs().max())  # the exact flow maps e to STD e


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_exact_jumps_are_exact_at_every_step_count(steps: int) -> None:
    assert _run("jump", steps) < 1e-9


def test_euler_and_heun_converge_with_their_order() -> None:
    euler = _run("euler", 32) / _run("euler", 64)
    heun = _run("heun", 32) / _run("heun", 64)
    assert 1.7 < euler < 2.3
    assert heun > 3.0
    assert _run("heun", 64) < _run("euler", 64)


def test_renoising_keeps_the_marginal_variance() -> None:
    """With exact posterior means re-noising is biased towards 0, never away from it."""
    like = AV(torch.zeros(4000, 1, 1, 1, dtype=torch.float64), None)
    spec = SamplerSpec(solver="renoise", times=grid(4))
    out = sample(gaussian_multi, fresh_noise(like, _generator()), spec, _generator())
    assert out.video is not None
    assert 0.05 < float(out.video.std()) < STD * 1.05


def test_grid_is_decreasing_from_one_to_zero() -> None:
    for factor in (1.0, 3.0, 5.0):
        times = grid(8, factor)
        assert times[0] == 1.0
        assert times[-1] == 0.0
        assert list(times) == sorted(times, reverse=True)
    assert float(shift(torch.tensor(0.5), 5.0)) == pytest.approx(5 / 6)


def test_zero_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="steps=0"):
        grid(0)


def test_uniform_times_stay_in_range_and_dyadic_times_on_their_grid() -> None:
    t = uniform_times((1000,), _generator(), 3.0)
    assert float(t.min()) > 0
    assert float(t.max()) <= 1
    t, d = dyadic_jumps(200, 3, (0.25, 0.5, 1.0), _generator())
    assert bool(((t / d) == (t / d).round()).all())
    assert bool((t >= d).all())


class _Scale(torch.nn.Module):
    """A denoiser with one parameter; counts calls with gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.3, dtype=torch.float64))
        self.tracked: list[bool] = []

    def forward(self, x_t: AV, t: AV, d: AV) -> AV:
        self.tracked.append(torch.is_grad_enabled())
        return x_t.map(lambda x: self.weight * x)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Gradient("all"), [True] * 4),
        (Gradient("last"), [False, False, False, True]),
        (Gradient("straight_through", 1), [False, True, False, False]),
        (Gradient("exit", 2), [False, False, True]),
        (Gradient(), [False] * 4),
    ],
)
def test_gradient_policies_track_what_they_say(policy: Gradient, expected: list[bool]) -> None:
    scale = _Scale()
    sample(scale, _noise(), SamplerSpec(solver="jump", times=grid(4)), _generator(), policy)
    assert scale.tracked == expected


def test_straight_through_keeps_the_value_and_has_the_step_gradient() -> None:
    scale, spec = _Scale(), SamplerSpec(solver="jump", times=grid(2))
    plain = sample(scale, _noise(), spec, _generator())
    out = sample(scale, _noise(), spec, _generator(), Gradient("straight_through", 0))
    assert torch.equal(out.any, plain.any)
    out.any.sum().backward()
    # first step from t = 1 with d = 1/2: x/2 + (1/2) w x, so d/dw = x/2; the second step is constant
    assert scale.weight.grad is not None
    assert float(scale.weight.grad) == pytest.approx(float(0.5 * _noise().any.sum()))


def test_guidance_is_the_standard_form() -> None:
    def denoiser(x_t: AV, t: AV, d: AV) -> AV:  # conditional half returns 1, null half 0
        return x_t.map(lambda x: torch.cat([torch.ones_like(x[:2]), torch.zeros_like(x[2:])]))

    out = guided(denoiser, 3.0)(_noise(), AV.both(torch.ones(2, 1)), AV.both(torch.ones(2, 1)))
    assert bool((out.any == 3.0).all())
