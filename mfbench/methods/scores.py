"""Score networks: stop-gradient denoisers that judge a sample, causal on a history or over a whole clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from mfbench.flows.guidance import doubled, guided
from mfbench.flows.rollout import bind
from mfbench.flows.samplers import Denoiser
from mfbench.methods.contexts import on_history
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, Condition, concatenate


def whole(network: AVTransformer, condition: Condition, guidance: float = 1.0) -> Denoiser:
    """A denoiser of all chunks with full attention and no history (bidirectional)."""
    if guidance == 1.0:
        return bind(network, condition, 0, network.new_cache(), "full")
    return guided(whole(network, doubled(condition)), guidance)


def causal_score(
    network: AVTransformer, history: AV, condition: Condition, guidance: float = 1.0
) -> Denoiser:
    """A stop-gradient denoiser of all chunks, chunk k on the history below k, guided where asked."""
    if guidance == 1.0:
        plain = on_history(network, history, condition)
    else:
        twice = concatenate([history, history], dim=0)
        plain = guided(on_history(network, twice, doubled(condition)), guidance)
    return torch.no_grad()(plain)


@contextmanager
def constant(*networks: nn.Module) -> Iterator[None]:
    """Networks whose parameters get no gradient from what is computed here, while their inputs do."""
    moved = [p for network in networks for p in network.parameters() if p.requires_grad]
    for parameter in moved:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in moved:
            parameter.requires_grad_(True)
