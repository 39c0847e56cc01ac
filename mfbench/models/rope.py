"""Rotary positions on the shared wall clock: phases over (seconds, y, x), one rule for both modalities.

Audio tokens sit at a fixed (y, x), so tokens of one instant agree. A latent index as a position is a
known source of bugs: rates differ between modalities, seconds do not (RoFormer, arXiv 2104.09864).
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from mfbench.clip_spec import ClipSpec

MIN_PERIOD_S = 0.1
MAX_PERIOD_S = 20.0


def frequencies(head_dim: int, *, spatial: bool) -> Float[Tensor, "pairs 3"]:
    """Angular frequencies per rotated pair for (seconds, y, x); space takes a quarter of the pairs each."""
    pairs = head_dim // 2
    space = pairs // 4 if spatial else 0
    table = torch.zeros(pairs, 3)
    times = pairs - 2 * space
    periods = (
        torch.logspace(0, 1, times)
        if times == 1
        else MIN_PERIOD_S * ((MAX_PERIOD_S / MIN_PERIOD_S) ** (torch.arange(times) / (times - 1)))
    )
    table[:times, 0] = 2 * torch.pi / periods
    for axis in (1, 2):
        start = times + (axis - 1) * space
        table[start : start + space, axis] = torch.pi * torch.arange(1, space + 1)
    return table


def video_positions(spec: ClipSpec, chunk: Tensor) -> Float[Tensor, "tokens 3"]:
    """(seconds, y, x) of the video tokens of the given chunk indices, in token order."""
    rows, (height, width) = spec.video_rows_per_chunk, spec.video_grid
    step = spec.chunk_seconds / rows
    seconds = chunk[:, None] * spec.chunk_seconds + (torch.arange(rows, device=chunk.device) + 0.5) * step
    y = (torch.arange(height, device=chunk.device) + 0.5) / height - 0.5
    x = (torch.arange(width, device=chunk.device) + 0.5) / width - 0.5
    grid = torch.cartesian_prod(seconds.flatten(), y, x)
    return grid.to(torch.get_default_dtype())


def audio_positions(spec: ClipSpec, chunk: Tensor) -> Float[Tensor, "tokens 3"]:
    """(seconds, 0, 0) of the audio tokens of the given chunk indices."""
    count = spec.audio_tokens_per_chunk
    step = spec.chunk_seconds / count
    seconds = chunk[:, None] * spec.chunk_seconds + (torch.arange(count, device=chunk.device) + 0.5) * step
    flat = seconds.flatten().to(torch.get_default_dtype())
    return torch.stack([flat, torch.zeros_like(flat), torch.zeros_like(flat)], -1)


def phases(angle: Float[Tensor, "tokens pairs"]) -> Complex[Tensor, "tokens pairs"]:
    """Unit phases for `rotate`, computed once per call and shared by all blocks."""
    return torch.polar(torch.ones_like(angle), angle)


def rotate(x: Tensor, turn: Complex[Tensor, "tokens pairs"]) -> Tensor:
    """Rotate consecutive pairs of the last axis of x [..., tokens, dim] by the token's phases."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turn).flatten(-2)
