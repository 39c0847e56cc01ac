"""Joint attention of both branches with a learned, initially closed door between them."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

CLOSED_LOGIT = -4.0
GAIN = 20.0


class JointAttention(nn.Module):
    """Softmax attention over the tokens of all modalities, with a bias on logits between modalities.

    Extra keys in a softmax always disturb it, so coupling two trained branches starts with the door closed:
    a per-head bias of -8 on cross-modal logits (weight exp(-8) relative to an equal logit of the own
    modality), learned from there. The parameter is the bias divided by `GAIN`, so that an optimiser with
    unit-scaled steps opens the door within a few hundred steps. Queries and keys come normalised; each head
    learns its own sharpness.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.full((heads,), CLOSED_LOGIT / GAIN))
        self.sharpness = nn.Parameter(torch.ones(heads))

    def forward(
        self,
        queries: Float[Tensor, "batch heads queries dim"],
        keys: Float[Tensor, "batch heads keys dim"],
        values: Float[Tensor, "batch heads keys dim"],
        sight: Bool[Tensor, "queries keys"],
        across: Bool[Tensor, "queries keys"] | None,
    ) -> Float[Tensor, "batch heads queries dim"]:
        """Attend where `sight` is true; `across` marks pairs of different modality (None: there are none)."""
        queries = queries * self.sharpness[:, None, None]
        if across is None:
            return functional.scaled_dot_product_attention(queries, keys, values, sight)
        bias = (GAIN * self.theta)[:, None, None] * across
        return functional.scaled_dot_product_attention(
            queries, keys, values, bias.masked_fill(~sight, float("-inf"))
        )
