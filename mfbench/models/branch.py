"""One modality's half of the network: everything but the attention that both halves share."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mfbench.models.layers import modulate

Modulation = tuple[Tensor, ...]  # six of [batch, chunks, 1, dim]: shift, scale, gate for attention and MLP


class BranchBlock(nn.Module):
    """Projections and MLP of one modality in one block."""

    def __init__(self, dim: int, mlp_ratio: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_ratio * dim), nn.SiLU(), nn.Linear(mlp_ratio * dim, dim))

    def project(self, x: Tensor, modulation: Modulation) -> Float[Tensor, "batch tokens qkv"]:
        """Queries, keys and values of all tokens of the chunks, side by side."""
        return self.qkv(modulate(x, modulation[0], modulation[1])).flatten(1, 2)  # type: ignore[no-any-return]

    def finish(
        self, x: Tensor, attended: Float[Tensor, "batch tokens dim"], modulation: Modulation
    ) -> Tensor:
        """Residuals of attention and MLP."""
        gate, shift, scale, mlp_gate = modulation[2:]
        x = torch.addcmul(x, gate, self.out(attended).view_as(x))
        return torch.addcmul(x, mlp_gate, self.mlp(modulate(x, shift, scale)))


class Branch(nn.Module):
    """Input projection, blocks, shared modulation and output head of one modality.

    Output layers start at zero, so that an untrained network outputs 0 and a block is the identity.
    """

    def __init__(
        self, *, dim: int, depth: int, mlp_ratio: int, channels: int, tokens: int, condition_dim: int
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, dim)
        self.place = nn.Parameter(torch.zeros(tokens, dim))
        self.enter = nn.Linear(condition_dim, dim)
        self.blocks = nn.ModuleList(BranchBlock(dim, mlp_ratio) for _ in range(depth))
        self.modulation = nn.Linear(condition_dim, 6 * dim)
        self.offsets = nn.Parameter(torch.zeros(depth, 6 * dim))
        self.final_modulation = nn.Linear(condition_dim, 2 * dim)
        self.head = nn.Linear(dim, channels)
        self.skip = nn.Linear(condition_dim, channels)
        for layer in (self.modulation, self.final_modulation, self.head, self.skip):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def block(self, index: int) -> BranchBlock:
        """One block."""
        return cast(BranchBlock, self.blocks[index])

    def tokens(
        self,
        x: Float[Tensor, "batch chunks tokens channels"],
        vector: Float[Tensor, "batch chunks 1 condition"],
    ) -> Float[Tensor, "batch chunks tokens dim"]:
        """Embed the tokens of chunks; `place` tells those of one chunk apart, whose words have no timing."""
        return self.embed(x) + (self.place + self.enter(vector))  # type: ignore[no-any-return]

    def modulations(self, vector: Float[Tensor, "batch chunks 1 condition"]) -> list[Modulation]:
        """Six vectors per block and chunk: a shared projection of the condition plus the block's own offsets.

        adaLN-single, Chen et al. 2023, arXiv 2310.00426.
        """
        shared = self.modulation(functional.silu(vector))
        every = (shared + self.offsets[:, None, None, None]).unflatten(-1, (6, -1))
        return [block.unbind(-2) for block in every.unbind(0)]

    def read_out(self, x: Tensor, vector: Float[Tensor, "batch chunks 1 dim"]) -> Tensor:
        """Output channels per token, [batch, chunks, tokens, channels]."""
        active = functional.silu(vector)
        shift, scale = self.final_modulation(active).chunk(2, -1)
        return self.head(modulate(x, shift, scale)) + self.skip(active)  # type: ignore[no-any-return]
