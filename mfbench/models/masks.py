"""Which token may look at which: one rule on chunk indices for both modalities.

A token's chunk comes from its timestamp, so video and audio of one interval share an index.
"""

from __future__ import annotations

from typing import get_args

import torch
from jaxtyping import Bool
from torch import Tensor

from mfbench.models.kv_cache import Tokens
from mfbench.types import Attention


def visible(
    queries: Tokens,
    keys: Tokens,
    attention: Attention,
    window: int | None = None,
    sinks: int = 0,
) -> Bool[Tensor, "queries keys"]:
    """Visibility of each key token from each query token.

    History sees history up to its own chunk. A chunk being denoised sees history strictly before it and, of
    the chunks being denoised, its own only (`own`: teacher forcing and streaming), also earlier ones
    (`causal`: diffusion forcing), or all (`full`: bidirectional). So `own` on [clean | noisy] is the
    teacher-forcing mask. With a window, keys older than `window` chunks are hidden, sinks excepted.
    """
    if attention not in get_args(Attention):
        raise ValueError(f"attention must be one of {get_args(Attention)}, got {attention!r}")
    q, k = queries.chunk[:, None], keys.chunk[None, :]
    past = keys.history[None, :]
    from_history = queries.history[:, None]
    among = {"own": k == q, "causal": k <= q, "full": torch.ones_like(k == q)}[attention]
    sight = (past & ((k < q) | (from_history & (k == q)))) | (~past & ~from_history & among)
    if window is not None and attention != "full":
        sight &= (k >= q - window) | (k < sinks)
    return sight
