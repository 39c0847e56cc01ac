"""Embeddings, modulation and the gated pieces shared by both branches."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScalarEmbedding(nn.Module):
    """Sinusoidal features of a scalar in [0, 1], then a two-layer MLP: [...] -> [..., dim].

    With `starts_closed` the output layer is zero, so that a network trained without this input is
    unchanged when it is added (Frans et al. 2024 add the step size to a flow-matching checkpoint so).
    """

    frequencies: Tensor

    def __init__(self, dim: int, *, features: int = 64, starts_closed: bool = False) -> None:
        super().__init__()
        half = features // 2
        self.register_buffer("frequencies", torch.exp(math.log(1000.0) * torch.arange(half) / half))
        self.first = nn.Linear(features, dim)
        self.second = nn.Linear(dim, dim)
        if starts_closed:
            nn.init.zeros_(self.second.weight)
            nn.init.zeros_(self.second.bias)

    def forward(self, value: Tensor) -> Tensor:
        """Embed each scalar."""
        angle = value[..., None] * self.frequencies
        return self.second(functional.silu(self.first(torch.cat([angle.cos(), angle.sin()], -1))))  # type: ignore[no-any-return]


class ConditionEmbedding(nn.Module):
    """Reference vector and word slots to one vector per chunk: [batch, chunks, dim]."""

    def __init__(self, dim: int, *, reference_channels: int, vocabulary: int, slots: int) -> None:
        super().__init__()
        width = 32
        self.word = nn.Embedding(vocabulary + 1, width)
        self.null_words = nn.Parameter(torch.zeros(slots, width))
        self.words = nn.Sequential(nn.Linear(slots * width, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.reference = nn.Sequential(nn.Linear(reference_channels, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, reference: Tensor, words: Tensor, null: Tensor) -> Tensor:
        """Sum of the embedded reference (all chunks) and the embedded word list of each chunk."""
        slots = torch.where(null[:, None, None, None], self.null_words, self.word(words))
        return self.words(slots.flatten(2)) + self.reference(reference)[:, None]  # type: ignore[no-any-return]


class Prior(nn.Module):
    """A Gaussian guess of every token from the reference frame, and the head's output around it.

    If x_0 were N(m, s^2), f would be m + (1-t) s^2 / v (x_t - (1-t) m) with v = (1-t)^2 s^2 + t^2, up to an
    error of spread t s / sqrt(v); the network predicts this error in units of its spread (Karras et al.
    2022, Table 1, where m = 0 and s is one number). m is linear in the reference and s a number per channel,
    both learned: a channel that the reference decides, as the colours of a face are, needs no network.
    """

    def __init__(self, reference_channels: int, channels: int) -> None:
        super().__init__()
        self.mean = nn.Linear(reference_channels, channels)
        self.log_spread = nn.Parameter(torch.zeros(channels))
        nn.init.zeros_(self.mean.weight)
        nn.init.zeros_(self.mean.bias)

    def forward(self, x_t: Tensor, t: Tensor, raw: Tensor, reference: Tensor) -> Tensor:
        """Head output f from the network's raw output, both [batch, chunks, tokens, channels]."""
        noise = t[:, :, None, None]
        signal, mean = 1 - noise, self.mean(reference)[:, None, None]
        spread = self.log_spread.exp()
        scaled = signal * spread
        inverse = torch.rsqrt(scaled.square() + noise.square())
        keep, add = scaled * spread * inverse.square(), noise * spread * inverse
        return torch.addcmul(mean + keep * (x_t - signal * mean), add, raw)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Parameter-free layer norm, then scale and shift (adaptive layer norm, Peebles & Xie 2023)."""
    return torch.addcmul(shift, functional.layer_norm(x, x.shape[-1:]), 1 + scale)
