"""Whole frames as principal components: a stand-in for a learned video latent."""

from __future__ import annotations

from typing import Self

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import (
    Array,
    FloatArray,
    check_channels,
    check_clips,
    check_latents,
    group,
    to_array,
    to_tensor,
    ungroup,
)
from mfbench.codecs.linear import LinearCode
from mfbench.codecs.pixels import from_pixels, to_pixels
from mfbench.registry import CODECS

_FIT_ROWS = 1500  # the dual eigenproblem of this many frames takes about two seconds


@CODECS.register_module()
class LinearFrameCodec:
    """One token = `frames_per_video_token` whole RGB frames, coded by their principal components.

    One common scale by default (`whitening=0`): trailing components of faces are faint, and whitening would
    make the model spend its capacity on what nobody sees.
    """

    def __init__(self, spec: ClipSpec, whitening: float = 0.0) -> None:
        check_channels(spec.video_grid[0] * spec.video_grid[1], 1, "whole frames need video_grid (1, 1)")
        self.spec = spec
        self.whitening = whitening
        self._code: LinearCode | None = None

    def fit(self, video: Array) -> Self:
        """Fit on pixels uint8[clips, frames, size, size, 3] of the training split."""
        tokens = video.shape[0] * video.shape[1] // self.spec.frames_per_video_token
        stride = max(1, tokens // _FIT_ROWS)
        rows = self._tokens(video)
        self._code = LinearCode.fit(
            rows.reshape(-1, rows.shape[-1])[::stride], self.spec.video_channels, self.whitening
        )
        return self

    def encode(self, video: Array) -> Float[Tensor, "batch chunks tokens channels"]:
        """Pixels => latents."""
        return to_tensor(self._fitted().project(self._tokens(video)))

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> Array:
        """Latents => pixels uint8[batch, frames, size, size, 3]."""
        check_latents(latents, self.spec.video_tokens_per_chunk, self.spec.video_channels, "video")
        flat = ungroup(self._fitted().reconstruct(to_array(latents)), self.spec.frames_per_video_token)
        size = self.spec.frame_size_px
        return to_pixels(flat.reshape(*flat.shape[:2], size, size, 3))

    def render(self, decoded: Array) -> UInt8[np.ndarray, "batch frames height width 3"]:
        """Decoded frames are pixels already."""
        return decoded

    def state(self) -> dict[str, Tensor]:
        """Everything that `fit` found."""
        return self._fitted().state()

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state`."""
        self._code = LinearCode.from_state(state)
        return self

    def _tokens(self, video: Array) -> FloatArray:
        size = self.spec.frame_size_px
        check_clips(video, (size, size, 3), self.spec.frames_per_chunk, "video")
        unit = from_pixels(video).reshape(*video.shape[:2], -1)
        return group(unit, self.spec.frames_per_video_token, self.spec.video_tokens_per_chunk)

    def _fitted(self) -> LinearCode:
        if self._code is None:
            raise RuntimeError("LinearFrameCodec is not fitted; call fit or load first")
        return self._code
