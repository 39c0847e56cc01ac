"""Classifier-free guidance in its standard form, uncond + w (cond - uncond) (Ho & Salimans 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mfbench.flows.samplers import Denoiser
from mfbench.types import AV, Condition


def doubled(condition: Condition) -> Condition:
    """The conditional batch followed by its null branch."""
    null = condition.without_words()
    return Condition(
        torch.cat([condition.reference, null.reference]),
        torch.cat([condition.words, null.words]),
        torch.cat([condition.null, null.null]),
    )


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x])


def guided(denoiser: Denoiser, weight: float) -> Denoiser:
    """Wrap a denoiser bound to a doubled batch; guiding f equals guiding u, both are affine in f."""

    def mix(f: Tensor) -> Tensor:
        cond, null = f.chunk(2)
        return null + weight * (cond - null)

    def call(x_t: AV, t: AV, d: AV) -> AV:
        return denoiser(x_t.map(_twice), t.map(_twice), d.map(_twice)).map(mix)

    return call
