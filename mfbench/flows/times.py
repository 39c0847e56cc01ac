"""Training time distributions and sampling grids."""

from __future__ import annotations

import torch
from torch import Tensor


def shift(t: Tensor, factor: float) -> Tensor:
    """t' = s t / (1 + (s - 1) t): moves grid points towards noise for s > 1 (Esser et al. 2024, Eq. 23)."""
    return factor * t / (1 + (factor - 1) * t)


def grid(steps: int, factor: float = 1.0) -> tuple[float, ...]:
    """`steps + 1` decreasing times from 1 to 0, evenly spaced before the shift."""
    if steps < 1:
        raise ValueError(f"a sampler needs at least 1 step, got steps={steps}; legal values are 1, 2, 4, ...")
    even = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return tuple(float(t) for t in shift(even, factor))


def uniform_times(shape: tuple[int, ...], generator: torch.Generator, factor: float = 1.0) -> Tensor:
    """Shifted-uniform times in (0, 1]."""
    return shift(1 - torch.rand(shape, generator=generator), factor)


def logit_normal_times(
    shape: tuple[int, ...], generator: torch.Generator, mean: float = 0.0, std: float = 1.0
) -> Tensor:
    """Sigmoid of a Gaussian (Esser et al. 2024, Eq. 19)."""
    return torch.sigmoid(mean + std * torch.randn(shape, generator=generator))


def dyadic_jumps(
    count: int, chunks: int, sizes: tuple[float, ...], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Jump sizes d from `sizes` and times t on the d-grid {d, 2d, .., 1}: (t, d), each [count, chunks].

    Frans et al. 2024 (arXiv 2410.12557), section 3.
    """
    choices = torch.tensor(sizes)
    d = choices[torch.randint(len(sizes), (count, chunks), generator=generator)]
    cells = (1 / d).round()
    t = ((torch.rand((count, chunks), generator=generator) * cells).floor() + 1) * d
    return t.clamp(max=1.0), d
