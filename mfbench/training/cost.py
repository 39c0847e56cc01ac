"""Training cost by analysis: network evaluations and FLOPs, counted by a hook on every network held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd import forward_ad

from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV


@dataclass
class CostMeter:
    """Running totals over all networks of a method.

    Attributes:
        evaluations: chunk evaluations (batch x chunks per call), forward only.
        flops: multiply-adds count 2; a call that records gradients counts its backward pass as 2 forwards,
            and one that carries forward-mode tangents (MeanFlow) counts them as 1.
        calls: network calls.
    """

    evaluations: float = 0.0
    flops: float = 0.0
    calls: int = 0

    def watch(self, method: nn.Module) -> None:
        """Hook every network of the method."""
        for module in method.modules():
            if isinstance(module, AVTransformer):
                module.register_forward_hook(self._count)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Calls in here are not counted."""
        before = self.evaluations, self.flops, self.calls
        yield
        self.evaluations, self.flops, self.calls = before

    def _count(self, module: nn.Module, args: tuple[Any, ...], _: object) -> None:
        assert isinstance(module, AVTransformer)
        x, tokens, cache = args[0], args[4], args[5]
        history_only = bool(tokens.history.all())
        forward = call_flops(module, x, len(cache.tokens.chunk), history_only=history_only)
        tracked = torch.is_grad_enabled() and any(p.requires_grad for p in module.parameters())
        tangents = forward_ad.unpack_dual(x.any).tangent is not None
        self.flops += forward * (1 + 2 * tracked + tangents)
        self.evaluations += x.batch * x.chunks
        self.calls += 1


def call_flops(network: AVTransformer, x: AV, cached_tokens: int, *, history_only: bool = False) -> float:
    """FLOPs of one forward call from its shapes: linear layers per token or chunk, and attention.

    Elementwise work is left out; tests compare with torch's FlopCounterMode.
    """
    spec = network.spec
    dim, per_block = spec.dim, 2 * spec.dim * spec.dim * (3 + 1 + 2 * spec.mlp_ratio)
    total, queries = 0.0, 0
    for name, z in x.parts().items():
        tokens, chunks, channels = x.batch * z.shape[1] * z.shape[2], x.batch * z.shape[1], z.shape[3]
        queries += z.shape[1] * z.shape[2]
        total += tokens * (2 * dim * channels + per_block * spec.depth)
        total += chunks * 2 * spec.condition_dim * dim * 7 + _embedding_flops(network, name, x.batch, chunks)
        if history_only:
            total -= tokens * 2 * dim * dim * (1 + 2 * spec.mlp_ratio)
        else:
            total += tokens * 2 * dim * channels + chunks * 2 * spec.condition_dim * (channels + 2 * dim)
            total += x.batch * 2 * spec.reference_channels * channels
    layers = spec.depth - (1 if history_only else 0)
    width = dim + 2 * spec.heads  # every head carries the two coordinates of the modality bias
    return total + layers * 4 * x.batch * queries * (queries + cached_tokens) * width


def _embedding_flops(network: AVTransformer, name: str, batch: int, chunks: int) -> float:
    rows = {"times": chunks, "steps": chunks}
    total = 0.0
    for part, count in rows.items():
        total += count * _linear_flops(getattr(network, part)[name])
    condition = network.conditions[name]
    return (
        total
        + chunks * _linear_flops(condition.words)  # type: ignore[arg-type]
        + batch * _linear_flops(condition.reference)  # type: ignore[arg-type]
    )


def _linear_flops(module: nn.Module) -> float:
    return float(sum(2 * m.weight.numel() for m in module.modules() if isinstance(m, nn.Linear)))
