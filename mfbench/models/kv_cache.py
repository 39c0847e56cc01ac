"""Keys and values of the history; appended by concatenation, never written in place under autograd.

A cache belongs to one set of weights and one condition branch and expires at every optimiser step.
The order of cached tokens is the order of writing; who may look at what follows from `Tokens`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """What a mask needs to know of each token in a sequence.

    Attributes:
        chunk: chunk index.
        modality: 0 video, 1 audio.
        history: True for clean history, False for chunks being denoised.
    """

    chunk: Int[Tensor, tokens]
    modality: Int[Tensor, tokens]
    history: Bool[Tensor, tokens]

    def followed_by(self, other: Tokens) -> Tokens:
        """Both sequences, one after the other."""
        return Tokens(
            torch.cat([self.chunk, other.chunk]),
            torch.cat([self.modality, other.modality]),
            torch.cat([self.history, other.history]),
        )

    def take(self, index: Tensor) -> Tokens:
        """Some of the tokens."""
        return Tokens(self.chunk[index], self.modality[index], self.history[index])


def _no_tokens() -> Tokens:
    none = torch.zeros(0, dtype=torch.long)
    return Tokens(none, none, none.bool())


Layer = tuple[Float[Tensor, "batch heads tokens dim"], Float[Tensor, "batch heads tokens dim"]]


@dataclass(frozen=True)
class KVCache:
    """History of one network: per block a pair (keys, values) over all cached tokens.

    Attributes:
        window: chunks kept besides the sinks; None keeps all.
        sinks: first chunks that are never evicted.
        scratch: what follows from this history alone and is used by every call on it.
    """

    layers: tuple[Layer, ...] = ()
    tokens: Tokens = field(default_factory=_no_tokens)
    window: int | None = None
    sinks: int = 0
    scratch: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def appended(self, layers: tuple[Layer, ...], tokens: Tokens) -> KVCache:
        """This cache with further chunks, trimmed to sinks and window."""
        if self.last_chunk >= int(tokens.chunk.min()):
            raise ValueError(
                f"chunk {int(tokens.chunk.min())} is not after the last cached chunk {self.last_chunk}; "
                "histories grow forward in time only"
            )
        if self.layers:
            pairs = zip(self.layers, layers, strict=True)
            layers = tuple((torch.cat([a[0], b[0]], 2), torch.cat([a[1], b[1]], 2)) for a, b in pairs)
        return replace(self, layers=layers, tokens=self.tokens.followed_by(tokens), scratch={})._trimmed()

    def _trimmed(self) -> KVCache:
        if self.window is None:
            return self
        chunk = self.tokens.chunk
        keep = (chunk > self.last_chunk - self.window) | (chunk < self.sinks)
        if bool(keep.all()):
            return self
        index = keep.nonzero()[:, 0]
        layers = tuple((k[:, :, index], v[:, :, index]) for k, v in self.layers)
        return replace(self, layers=layers, tokens=self.tokens.take(index), scratch={})

    def detached(self) -> KVCache:
        """The same values without gradient."""
        return replace(self, layers=tuple((k.detach(), v.detach()) for k, v in self.layers), scratch={})

    def followed_by(self, block: int, own: Layer) -> Layer:
        """Keys and values of one block: the history's, then a call's own.

        Without autograd the history is copied once and the own part is written behind it at every call, so
        the result holds until the next call.
        """
        if not self.layers:
            return own
        if torch.is_grad_enabled():
            k, v = (torch.cat(pair, 2) for pair in zip(self.layers[block], own, strict=True))
            return k, v
        key = (block, own[0].shape[2])
        if key not in self.scratch:
            self.scratch[key] = tuple(
                torch.cat(pair, 2) for pair in zip(self.layers[block], own, strict=True)
            )
        else:
            for whole, part in zip(self.scratch[key], own, strict=True):
                whole[:, :, -part.shape[2] :] = part
        joined: Layer = self.scratch[key]
        return joined

    @property
    def last_chunk(self) -> int:
        """Index of the newest chunk, -1 when empty."""
        return int(self.tokens.chunk.max()) if len(self.tokens.chunk) else -1

    @property
    def bytes(self) -> int:
        """Memory held by keys and values."""
        return sum(x.numel() * x.element_size() for pair in self.layers for x in pair)
