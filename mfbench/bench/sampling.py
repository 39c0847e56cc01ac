"""Trained checkpoints as samplers: the same code generates for scoring, is timed, and streams to a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mfbench.bench.clips import Clips
from mfbench.flows.rollout import Horizon, rollout, stream, whole_clip
from mfbench.methods.base import Method, Parents
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS
from mfbench.types import AV, Condition, SamplerSpec


@dataclass
class CallCounter:
    """Counts network calls by a hook: denoising and cache passes apart, in units of the requested batch.

    A call with guidance runs a doubled batch and so counts 2.
    """

    batch: int
    denoising: float = 0.0
    cache: float = 0.0

    def watch(self, network: nn.Module) -> torch.utils.hooks.RemovableHandle:
        """Start counting; remove the handle to stop."""
        return network.register_forward_hook(self._count)

    def _count(self, _: nn.Module, args: tuple[Any, ...], __: object) -> None:
        x, tokens = args[0], args[4]
        calls = x.batch / self.batch
        if bool(tokens.history.all()):
            self.cache += calls
        else:
            self.denoising += calls


@dataclass(frozen=True)
class Sampler:
    """A network with the sampler that its method prescribes.

    Attributes:
        window: chunks of history kept, the training length less the chunk being made.
    """

    network: AVTransformer
    spec: SamplerSpec
    window: int

    def noise(self, clips: int, chunks: int, seed: int) -> AV:
        """Initial noise; the same for every method and step count at one seed."""
        clip = self.network.spec.clip
        generator = torch.Generator().manual_seed(seed)
        video = (clips, chunks, clip.video_tokens_per_chunk, clip.video_channels)
        audio = (clips, chunks, clip.audio_tokens_per_chunk, clip.audio_channels)
        return AV(torch.randn(video, generator=generator), torch.randn(audio, generator=generator))

    @torch.inference_mode()
    def clip(self, condition: Condition, noise: AV, seed: int) -> AV:
        """Whole clips at once: [batch, chunks, tokens, channels]."""
        generator = torch.Generator().manual_seed(seed + 1)
        if not self.spec.streaming:
            return whole_clip(self.network, condition, noise, self.spec, generator)
        horizon = Horizon(window=self.window)
        return rollout(self.network, condition, noise, self.spec, generator, horizon=horizon)

    def chunks(self, condition: Condition, noise: AV, seed: int) -> Iterator[AV]:
        """One chunk after another."""
        if not self.spec.streaming:
            raise ValueError("this sampler needs the whole clip at once; use `clip`")
        generator = torch.Generator().manual_seed(seed + 1)
        with torch.inference_mode():
            yield from stream(
                self.network, condition, noise, self.spec, generator, horizon=Horizon(window=self.window)
            )


def sampler_of(method: str, options: dict[str, Any], network: AVTransformer, steps: int) -> Sampler:
    """The sampler that a registered method prescribes for a checkpoint of it.

    Only `sampler` of the method is asked, so the checkpoint stands in for the networks it started from.
    """
    registered = METHODS.get(method)
    networks = Parents(network, dict.fromkeys(registered.parents, network))
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    made = METHODS.build({"type": method, "networks": networks, **given})
    assert isinstance(made, Method)
    return Sampler(network.eval(), made.sampler(steps), network.spec.clip.chunks - 1)


def conditions(clips: Clips, reference: torch.Tensor) -> Condition:
    """Conditions of whole clips; `reference` holds the first frame's latent [clips, channels]."""
    voice = torch.from_numpy(clips.voice_descriptor)
    words = torch.from_numpy(clips.words)
    return Condition(torch.cat([reference, voice], -1), words, torch.zeros(len(words), dtype=torch.bool))
