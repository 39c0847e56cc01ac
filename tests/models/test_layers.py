from __future__ import annotations

import pytest
import torch

from mfbench.models.layers import Prior


def _fitted(mean: torch.Tensor, spread: torch.Tensor) -> Prior:
    prior = Prior(2, len(mean)).double()
    with torch.no_grad():
        prior.mean.bias.copy_(mean)
        prior.log_spread.copy_(spread.log())
    return prior


@torch.no_grad()
def test_without_a_network_the_prior_gives_the_posterior_mean_of_gaussian_data() -> None:
    """Regressing x_0 on x_t over many draws of N(m, s^2) finds the line that the formula gives."""
    generator = torch.Generator().manual_seed(0)
    mean, spread = torch.tensor([0.7, -1.0]).double(), torch.tensor([0.3, 2.0]).double()
    x_0 = mean + spread * torch.randn(200_000, 2, generator=generator, dtype=torch.float64)
    for level in (0.2, 0.7, 1.0):
        x_t = (1 - level) * x_0 + level * torch.randn(x_0.shape, generator=generator, dtype=torch.float64)
        covariance = ((x_0 - x_0.mean(0)) * (x_t - x_t.mean(0))).mean(0)
        slope = covariance / x_t.var(0)
        line = x_0.mean(0) + slope * (x_t - x_t.mean(0))
        t = torch.full((len(x_t), 1), level, dtype=torch.float64)
        given = x_t[:, None, None]
        found = _fitted(mean, spread)(given, t, torch.zeros_like(given), torch.zeros(len(x_t), 2).double())
        assert float((found[:, 0, 0] - line).abs().max()) < 0.05


@torch.no_grad()
def test_the_network_speaks_in_units_of_what_the_guess_leaves_open() -> None:
    """One unit of raw output moves f by the posterior spread: s without data in x_t, 0 where s is 0."""
    prior = _fitted(torch.zeros(2).double(), torch.tensor([2.0, 1e-9]).double())
    x_t, t = torch.zeros(1, 1, 1, 2).double(), torch.ones(1, 1).double()
    f = prior(x_t, t, torch.ones_like(x_t), torch.zeros(1, 2).double())
    assert f[0, 0, 0].tolist() == pytest.approx([2.0, 0.0], abs=1e-6)


@torch.no_grad()
def test_at_no_noise_the_data_itself_comes_back() -> None:
    prior = _fitted(torch.ones(2).double(), torch.tensor([0.5, 1.5]).double())
    x_t = torch.tensor([[[[3.0, -2.0]]]]).double()
    f = prior(x_t, torch.zeros(1, 1).double(), torch.ones_like(x_t), torch.zeros(1, 2).double())
    assert f.flatten().tolist() == pytest.approx([3.0, -2.0])
