"""What every codec has in common: the contract, shape checks, and the token layout.

A token holds all frames of one position: `frames_per_video_token` frames of one patch, or
`mel_frames_per_audio_token` mel frames. Tokens of a chunk run over time first, then rows, then columns.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
FloatArray = NDArray[np.float32]


class VideoCodec(Protocol):
    """Video arrays (face parameters or pixels) to latents and back; closed-form fit, no gradient."""

    def fit(self, video: Array) -> Self:
        """Fit on the training split and return self."""
        ...

    def encode(self, video: Array) -> Float[Tensor, "batch chunks tokens channels"]:
        """Video array [batch, frames, ...] => latents."""
        ...

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> Array:
        """Latents => an array of the kind that `encode` takes, in its legal range."""
        ...

    def render(self, decoded: Array) -> UInt8[np.ndarray, "batch frames height width 3"]:
        """What `decode` returns => pixels."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Everything that `fit` found."""
        ...

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state` and return self."""
        ...


class AudioCodec(Protocol):
    """Log-mel arrays [batch, mel_frames, bands] to latents and back; closed-form fit, no gradient."""

    def fit(self, mel: FloatArray) -> Self:
        """Fit on the training split and return self."""
        ...

    def encode(self, mel: FloatArray) -> Float[Tensor, "batch chunks tokens channels"]:
        """Log-mel => latents."""
        ...

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> FloatArray:
        """Latents => log-mel, not below the floor of `mel.log_mel`."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Everything that `fit` found."""
        ...

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state` and return self."""
        ...


def check_clips(array: Array, tail: tuple[int, ...], frames_per_chunk: int, what: str) -> None:
    """Refuse anything but [batch, chunks * frames_per_chunk, *tail]."""
    wanted = f"[batch, k * {frames_per_chunk}, {', '.join(map(str, tail))}]"
    if array.ndim != 2 + len(tail) or array.shape[2:] != tail:
        raise ValueError(f"{what} has shape {array.shape}, wanted is {wanted}")
    if array.shape[1] == 0 or array.shape[1] % frames_per_chunk:
        raise ValueError(
            f"{what} has {array.shape[1]} frames, wanted is a whole number of chunks of {frames_per_chunk}; "
            "cut it at a chunk border"
        )


def check_latents(latents: Tensor, tokens: int, channels: int, what: str) -> None:
    """Refuse anything but [batch, chunks, tokens, channels]."""
    if latents.ndim != 4 or latents.shape[2:] != (tokens, channels):
        raise ValueError(
            f"{what} latents have shape {tuple(latents.shape)}, "
            f"wanted is [batch, chunks, {tokens}, {channels}]; were they made with another ClipSpec?"
        )


def check_channels(given: int, wanted: int, how: str) -> None:
    """Refuse a ClipSpec whose channels do not hold what one token has to hold."""
    if given != wanted:
        raise ValueError(f"the ClipSpec has {given} channels per token, this codec makes {wanted} ({how})")


def group(array: FloatArray, frames_per_token: int, tokens_per_chunk: int) -> FloatArray:
    """[batch, frames, values] => [batch, chunks, tokens, frames_per_token * values]."""
    batch = array.shape[0]
    return array.reshape(batch, -1, tokens_per_chunk, frames_per_token * array.shape[2])


def ungroup(tokens: FloatArray, frames_per_token: int) -> FloatArray:
    """The inverse of `group`: [batch, chunks, tokens, n * values] => [batch, frames, values]."""
    batch, chunks, count, channels = tokens.shape
    return tokens.reshape(batch, chunks * count * frames_per_token, channels // frames_per_token)


def to_tensor(array: Array) -> Tensor:
    """Array => float32 tensor that owns its memory."""
    return torch.tensor(array, dtype=torch.float32)


def to_array(tensor: Tensor) -> FloatArray:
    """Tensor on any device => float32 array."""
    values: FloatArray = tensor.detach().to("cpu", torch.float32).numpy()
    return values
