"""Raw pixels, space-to-depth: lossless up to rounding."""

from __future__ import annotations

from typing import Self

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import (
    Array,
    check_channels,
    check_clips,
    check_latents,
    to_array,
    to_tensor,
)
from mfbench.codecs.pixels import from_pixels, to_pixels
from mfbench.registry import CODECS


@CODECS.register_module()
class PatchCodec:
    """One token = one square patch of `frames_per_video_token` frames; one shift and scale for all."""

    def __init__(self, spec: ClipSpec) -> None:
        rows, columns = spec.video_grid
        if spec.frame_size_px % rows or rows != columns:
            raise ValueError(
                f"video_grid {spec.video_grid} does not cut {spec.frame_size_px} pixels into square patches"
            )
        self.spec = spec
        self.patch = spec.frame_size_px // rows
        wanted = spec.frames_per_video_token * self.patch**2 * 3
        check_channels(spec.video_channels, wanted, f"patches of {self.patch} pixels")
        self._mean = 0.0
        self._spread = 0.5  # of values in -1..1, until `fit` has measured it

    def fit(self, video: Array) -> Self:
        """Measure shift and scale on pixels uint8[clips, frames, size, size, 3]."""
        unit = from_pixels(video[:: max(1, len(video) // 64)])
        self._mean, self._spread = float(unit.mean()), float(unit.std())
        return self

    def encode(self, video: Array) -> Float[Tensor, "batch chunks tokens channels"]:
        """Pixels => latents."""
        size, (rows, columns), patch = self.spec.frame_size_px, self.spec.video_grid, self.patch
        check_clips(video, (size, size, 3), self.spec.frames_per_chunk, "video")
        unit = (from_pixels(video) - self._mean) / self._spread
        deep = self.spec.frames_per_video_token
        split = unit.reshape(len(video), -1, deep, rows, patch, columns, patch, 3)
        tokens = split.transpose(0, 1, 3, 5, 2, 4, 6, 7)
        shape = (len(video), -1, self.spec.video_tokens_per_chunk, self.spec.video_channels)
        return to_tensor(tokens.reshape(shape))

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> Array:
        """Latents => pixels uint8[batch, frames, size, size, 3]."""
        check_latents(latents, self.spec.video_tokens_per_chunk, self.spec.video_channels, "video")
        size, (rows, columns), patch = self.spec.frame_size_px, self.spec.video_grid, self.patch
        deep = self.spec.frames_per_video_token
        tokens = to_array(latents).reshape(len(latents), -1, rows, columns, deep, patch, patch, 3)
        frames = tokens.transpose(0, 1, 4, 2, 5, 3, 6, 7).reshape(len(latents), -1, size, size, 3)
        return to_pixels(frames * self._spread + self._mean)

    def render(self, decoded: Array) -> UInt8[np.ndarray, "batch frames height width 3"]:
        """Decoded frames are pixels already."""
        return decoded

    def state(self) -> dict[str, Tensor]:
        """Shift and scale."""
        return {"affine": to_tensor(np.array([self._mean, self._spread]))}

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state`."""
        if "affine" not in state or state["affine"].shape != (2,):
            raise ValueError(f"the codec state must hold affine of 2 values; it holds {sorted(state)}")
        self._mean, self._spread = (float(value) for value in state["affine"])
        return self
