"""Log-mel as the principal components of a few frames at a time."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor

from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import FloatArray, check_clips, check_latents, group, to_array, to_tensor, ungroup
from mfbench.codecs.linear import LinearCode
from mfbench.mel import LOG_FLOOR, denormalise_mel, normalise_mel
from mfbench.registry import CODECS


@CODECS.register_module()
class LinearMelCodec:
    """One token = `mel_frames_per_audio_token` log-mel frames, coded by their principal components.

    Channels are whitened by default (`whitening=1`, each of unit variance): noise at a given t then hides
    every channel equally, and the loss does not forget the weak channels, which carry the bursts and
    fricatives that tell phones apart. `whitening=0` is one common scale, which weights errors as decibels.
    """

    def __init__(self, spec: ClipSpec, whitening: float = 1.0) -> None:
        self.spec = spec
        self.whitening = whitening
        self._code: LinearCode | None = None

    def fit(self, mel: FloatArray) -> Self:
        """Fit on log-mel [clips, mel_frames, bands] of the training split."""
        rows = self._tokens(mel)
        self._code = LinearCode.fit(
            rows.reshape(-1, rows.shape[-1]), self.spec.audio_channels, self.whitening
        )
        return self

    def encode(self, mel: FloatArray) -> Float[Tensor, "batch chunks tokens channels"]:
        """Log-mel [batch, mel_frames, bands] => latents."""
        return to_tensor(self._fitted().project(self._tokens(mel)))

    def decode(self, latents: Float[Tensor, "batch chunks tokens channels"]) -> FloatArray:
        """Latents => log-mel [batch, mel_frames, bands]."""
        check_latents(latents, self.spec.audio_tokens_per_chunk, self.spec.audio_channels, "audio")
        tokens = self._fitted().reconstruct(to_array(latents))
        normalised = ungroup(tokens, self.spec.mel_frames_per_audio_token)
        return to_array(denormalise_mel(to_tensor(normalised)).clamp(min=LOG_FLOOR))

    def state(self) -> dict[str, Tensor]:
        """Everything that `fit` found."""
        return self._fitted().state()

    def load(self, state: dict[str, Tensor]) -> Self:
        """Take over a `state`."""
        self._code = LinearCode.from_state(state)
        return self

    def _tokens(self, mel: FloatArray) -> FloatArray:
        check_clips(mel, (self.spec.mel_bands,), self.spec.mel_frames_per_chunk, "log-mel")
        normalised = to_array(normalise_mel(to_tensor(mel)))
        return group(normalised, self.spec.mel_frames_per_audio_token, self.spec.audio_tokens_per_chunk)

    def _fitted(self) -> LinearCode:
        if self._code is None:
            raise RuntimeError("LinearMelCodec is not fitted; call fit or load first")
        return self._code
