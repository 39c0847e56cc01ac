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
        width = dim // 2
        self.word = nn.Embedding(vocabulary + 1, width)
        self.null_words = nn.Parameter(torch.zeros(slots, width))
        self.words = nn.Sequential(nn.Linear(slots * width, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.reference = nn.Sequential(nn.Linear(reference_channels, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, reference: Tensor, words: Tensor, null: Tensor) -> Tensor:
        """Sum of the embedded reference (all chunks) and the embedded word list of each chunk."""
        slots = torch.where(null[:, None, None, None], self.null_words, self.word(words))
        return self.words(slots.flatten(2)) + self.reference(reference)[:, None]  # type: ignore[no-any-return]


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Parameter-free layer norm, then scale and shift (adaptive layer norm, Peebles & Xie 2023)."""
    return torch.addcmul(shift, functional.layer_norm(x, x.shape[-1:]), 1 + scale)
