"""Tiny networks and batches that every test can share."""

from __future__ import annotations

import hypothesis
import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.training.batches import LatentSet
from mfbench.types import AV, AVBatch, Condition

# A busy machine is slow without being wrong: properties are checked without a stopwatch.
hypothesis.settings.register_profile(
    "mfbench", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("mfbench")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def clip_spec() -> ClipSpec:
    return ClipSpec(
        chunks=5,
        frames_per_video_token=2,
        video_channels=6,
        mel_frames_per_audio_token=8,
        audio_channels=5,
    )


@pytest.fixture
def network(clip_spec: ClipSpec) -> AVTransformer:
    return make_network(clip_spec)


def make_network(clip_spec: ClipSpec, seed: int = 0) -> AVTransformer:
    """A random network whose zero-initialised layers are moved, so that every path matters."""
    torch.manual_seed(seed)
    spec = TransformerSpec(clip=clip_spec, dim=16, depth=2, heads=2, reference_channels=8)
    net = AVTransformer(spec)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return net


def make_latents(clip_spec: ClipSpec, batch: int, chunks: int, seed: int = 0) -> AV:
    generator = torch.Generator().manual_seed(seed)

    def draw(tokens: int, channels: int) -> torch.Tensor:
        return torch.randn(batch, chunks, tokens, channels, generator=generator)

    return AV(
        draw(clip_spec.video_tokens_per_chunk, clip_spec.video_channels),
        draw(clip_spec.audio_tokens_per_chunk, clip_spec.audio_channels),
    )


def make_condition(batch: int, chunks: int, seed: int = 0) -> Condition:
    generator = torch.Generator().manual_seed(seed)
    return Condition(
        torch.randn(batch, 8, generator=generator),
        torch.randint(0, 25, (batch, chunks, 4), generator=generator),
        torch.zeros(batch, dtype=torch.bool),
    )


@pytest.fixture
def batch(clip_spec: ClipSpec) -> AVBatch:
    return AVBatch(make_latents(clip_spec, 4, clip_spec.chunks), make_condition(4, clip_spec.chunks))


@pytest.fixture
def latent_set(clip_spec: ClipSpec) -> LatentSet:
    generator = torch.Generator().manual_seed(7)
    count, chunks = 12, clip_spec.chunks
    return LatentSet(
        make_latents(clip_spec, count, chunks),
        torch.randn(count, chunks, 3, generator=generator),
        torch.randn(count, 5, generator=generator),
        torch.randint(0, 25, (count, chunks, 4), generator=generator),
    )
