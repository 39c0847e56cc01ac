"""Face parameters as latents, with the renderer as decoder."""

from __future__ import annotations

from typing import Self

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from mfbench.character.face import APPEARANCE_PARAMETERS, FACE_PARAMETERS, clip_to_ranges, render
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
from mfbench.registry import CODECS

_SMALLEST_SPREAD = 0.02  # a parameter that hardly varies in training may still drift, but is not blown up

# Scale of a standardised parameter in the latent: how long it outlives the noise and what it weighs in the
# loss. The mouth is 4 of 34 parameters and carries the speech; looks are 23 and nearly constant in a clip.
_EMPHASIS = np.array([1.5] * 4 + [1.0] * 7 + [0.5] * len(APPEARANCE_PARAMETERS), np.float32)


@CODECS.register_module()
class MotionCodec:
    """One token = the standardised, weighted face parameters of `frames_per_video_token` frames.

    Palette, shape, light and hair style are coded per frame like the motion is: an identity that drifts is a
    latent that drifts.
    """

    def __init__(self, spec: ClipSpec) -> None:
        values = len(FACE_PARAMETERS)
        check_channels(spec.video_grid[0] * spec.video_grid[1], 1, "face parameters need video_grid (1, 1)")
        check_channels(
            spec.video_channels, values * spec.frames_per_video_token, f"{values} parameters per frame"
        )
        self.spec = spec
        self._mean: FloatArray | None = None
        self._spread: FloatArray | None = None

    def fit(self, video: Array) -> Self:
        """Fit on face parameters [clips, frames, 34] of the training split."""
        check_clips(video, (len(FACE_PARAMETERS),), self.spec.frames_per_chunk, "face parameters")
        rows = video.reshape(-1, video.shape[-1]).astype(np.float64)
        self._mean = rows.mean(0).astype(np.float32)
        self._spread = (np.maximum(rows.std(0), _SMALLEST_SPREAD) / _EMPHASIS).astype(np.float32)
        return self

    def encode(self, video: Array) -> Float[Tensor, "batch chunks tokens channels"]:
        """Face parameters [batch, frames, 34] => latents."""
        check_clips(video, (len(FACE_PARAMETERS),), self.spec.frames_per_chunk, "face parameters")
        mean, spread = self._fitted()
        standard = np.asarray((video - mean) / spread, dtype=np.float32)
        return to_tensor(group(standard, self.spec.frames_per_video_token, self.spec.video_tokens_per_chunk))

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> Array:
        """Latents => face parameters [batch, frames, 34] within the legal ranges of the renderer."""
        check_latents(latents, self.spec.video_tokens_per_chunk, self.spec.video_channels, "video")
        mean, spread = self._fitted()
        return clip_to_ranges(ungroup(to_array(latents), self.spec.frames_per_video_token) * spread + mean)

    def render(self, decoded: Array) -> UInt8[np.ndarray, "batch frames height width 3"]:
        """Face parameters [batch, frames, 34] => pixels."""
        size = self.spec.frame_size_px
        frames = render(decoded.reshape(-1, decoded.shape[-1]), size)
        return frames.reshape(*decoded.shape[:2], size, size, 3)

    def state(self) -> dict[str, Tensor]:
        """Mean and spread of every parameter."""
        mean, spread = self._fitted()
        return {"mean": to_tensor(mean), "spread": to_tensor(spread)}

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state`."""
        for name in ("mean", "spread"):
            if name not in state or state[name].shape != (len(FACE_PARAMETERS),):
                raise ValueError(
                    f"the codec state must hold {name} of {len(FACE_PARAMETERS)} values; "
                    f"it holds { {key: tuple(value.shape) for key, value in state.items()} }"
                )
        self._mean, self._spread = to_array(state["mean"]), to_array(state["spread"])
        return self

    def _fitted(self) -> tuple[FloatArray, FloatArray]:
        if self._mean is None or self._spread is None:
            raise RuntimeError("MotionCodec is not fitted; call fit or load first")
        return self._mean, self._spread
