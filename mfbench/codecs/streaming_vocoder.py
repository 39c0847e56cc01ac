"""Sound chunk by chunk: Griffin-Lim that continues the samples already played."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mfbench.codecs.vocoder import analyse, invert_mel, synthesise
from mfbench.mel import HOP_SAMPLES, margins

_MOMENTUM = 0.99
CONTEXT_FRAMES = 8  # of already played sound, two analysis windows


class StreamingVocoder:
    """Keeps the end of what was played; each call returns the samples of the next mel frames.

    In every iteration the played samples overwrite the estimate, so the phases of the new frames grow on
    from them and chunk borders do not click.
    """

    def __init__(self, generator: torch.Generator, iterations: int = 16) -> None:
        self.generator = generator
        self.iterations = iterations
        self._mel: Tensor | None = None
        self._played: Tensor | None = None

    def __call__(self, mel: Float[Tensor, "mel_frames bands"]) -> Float[Tensor, samples]:
        """Log-mel of the next frames => their samples."""
        joined = mel if self._mel is None else torch.cat([self._mel, mel])
        known = joined.shape[0] - mel.shape[0]
        magnitude = invert_mel(joined[None].float())
        turns = torch.rand(magnitude.shape, generator=self.generator)
        phase = torch.exp(2j * torch.pi * turns)
        previous = torch.zeros_like(phase)
        left = margins()[0]
        for _ in range(self.iterations):
            wave = self._with_past(synthesise(magnitude * phase), left)
            estimate = analyse(wave)
            ahead = estimate - previous * (_MOMENTUM / (1 + _MOMENTUM))
            phase, previous = ahead / (ahead.abs() + 1e-9), estimate
        wave = self._with_past(synthesise(magnitude * phase), left)[0, left:]
        fresh = wave[known * HOP_SAMPLES : joined.shape[0] * HOP_SAMPLES]
        self._remember(joined, wave[: joined.shape[0] * HOP_SAMPLES])
        return fresh

    def _with_past(self, wave: Tensor, left: int) -> Tensor:
        if self._played is not None:
            wave = wave.clone()
            wave[0, left : left + len(self._played)] = self._played
        return wave

    def _remember(self, mel: Tensor, wave: Tensor) -> None:
        self._mel = mel[-CONTEXT_FRAMES:]
        self._played = wave[-CONTEXT_FRAMES * HOP_SAMPLES :]
