"""Exactness of the network: cache equals one pass, nothing sees the future, coupling starts closed."""

from __future__ import annotations

import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.models.attention import CLOSED_LOGIT, GAIN
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.types import AV, AVBatch
from tests.conftest import make_condition, make_latents, make_network


def _times(batch: AVBatch, seed: int) -> AV:
    g = torch.Generator().manual_seed(seed)
    return AV.both(torch.rand(batch.latents.batch, batch.latents.chunks, generator=g))


def _one_pass(net: AVTransformer, batch: AVBatch, noisy: AV) -> AV:
    cache = net.encode(batch.latents, batch.condition, 0, net.new_cache())
    return net.denoise(noisy, _times(batch, 1), _times(batch, 2), batch.condition, 0, cache)


def test_streaming_with_cache_equals_the_masked_pass(
    network: AVTransformer, batch: AVBatch, clip_spec: ClipSpec
) -> None:
    noisy = make_latents(clip_spec, 4, 5, seed=3)
    with torch.no_grad():
        whole = _one_pass(network, batch, noisy)
        cache = network.new_cache()
        for k in range(5):
            here = batch.condition.slice(k, k + 1)
            t, d = (_times(batch, seed).chunk(k) for seed in (1, 2))
            f = network.denoise(noisy.slice(k, k + 1), t, d, here, k, cache)
            for name, value in f.parts().items():
                assert torch.allclose(value, whole.parts()[name][:, k : k + 1], atol=1e-5)
            cache = network.encode(batch.latents.slice(k, k + 1), here, k, cache)


@pytest.mark.parametrize("modality", ["video", "audio"])
def test_nothing_sees_a_later_chunk(
    network: AVTransformer, batch: AVBatch, clip_spec: ClipSpec, modality: str
) -> None:
    """Perturb history and noisy chunk 3 of one modality: outputs of both modalities below 3 are bit-equal."""
    noisy = make_latents(clip_spec, 4, 5, seed=3)

    def perturbed(x: AV) -> AV:
        parts = {n: v.clone() for n, v in x.parts().items()}
        parts[modality][:, 3] += 1.0
        return AV(parts["video"], parts["audio"])

    with torch.no_grad():
        before = _one_pass(network, batch, noisy)
        after = _one_pass(network, AVBatch(perturbed(batch.latents), batch.condition), perturbed(noisy))
    for name, value in before.parts().items():
        assert torch.equal(value[:, :3], after.parts()[name][:, :3])
        assert not torch.equal(value[:, 3], after.parts()[name][:, 3])


def test_noisy_chunks_do_not_see_each_other(
    network: AVTransformer, batch: AVBatch, clip_spec: ClipSpec
) -> None:
    noisy = make_latents(clip_spec, 4, 5, seed=3)
    other = noisy.map(lambda x: torch.cat([x[:, :2], x[:, 2:3] + 1, x[:, 3:]], 1))
    with torch.no_grad():
        a, b = (_one_pass(network, batch, z) for z in (noisy, other))
    for name, value in a.parts().items():
        assert torch.equal(value[:, 3:], b.parts()[name][:, 3:])


def test_full_attention_sees_everything(network: AVTransformer, batch: AVBatch) -> None:
    t = _times(batch, 1)
    moved = batch.latents.map(lambda x: torch.cat([x[:, :4], x[:, 4:] + 1], 1))
    with torch.no_grad():
        a, b = (
            network.denoise(z, t, t, batch.condition, 0, network.new_cache(), "full")
            for z in (batch.latents, moved)
        )
    assert not torch.equal(a.any[:, 0], b.any[:, 0])


def test_coupling_starts_closed(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """At step 0 of the joint stage each branch computes nearly what it computed alone.

    Branches of which every path matters, doors as a new network has them: the outputs move by a few percent
    of their spread, and by nothing once the door is shut.
    """
    for logit, most in ((CLOSED_LOGIT, 0.1), (-30.0, 1e-5)):
        assert _disturbance(make_network(clip_spec), batch, logit) < most


def _disturbance(net: AVTransformer, batch: AVBatch, logit: float) -> float:
    """Root mean square change of the outputs by coupling, as a share of their spread."""
    for layer in net.attention:
        torch.nn.init.constant_(layer.theta, logit / GAIN)
    t = _times(batch, 1)
    shares = []
    with torch.no_grad():
        both = net.denoise(batch.latents, t, t, batch.condition, 0, net.new_cache())
        for name in ("video", "audio"):
            parts = batch.latents.parts()
            alone = AV(*(parts[n] if n == name else None for n in ("video", "audio")))
            out = net.denoise(alone, t, t, batch.condition, 0, net.new_cache()).any
            shares.append(float((out - both.parts()[name]).square().mean().sqrt() / out.std()))
    return max(shares)


def test_a_flow_matching_checkpoint_ignores_the_step_size_at_first(clip_spec: ClipSpec) -> None:
    torch.manual_seed(0)
    net = AVTransformer(TransformerSpec(clip=clip_spec, dim=16, depth=2, heads=2, reference_channels=8))
    for branch in net.branches.values():
        torch.nn.init.normal_(branch.head.weight)
        torch.nn.init.normal_(branch.modulation.weight)
    x, condition = make_latents(clip_spec, 2, 5), make_condition(2, 5)
    t = AV.both(torch.full((2, 5), 0.5))
    with torch.no_grad():
        a, b = (
            net.denoise(x, t, AV.both(torch.full((2, 5), d)), condition, 0, net.new_cache())
            for d in (0.0, 0.5)
        )
    assert torch.equal(a.any, b.any)


def test_window_and_sinks_limit_the_cache(network: AVTransformer, batch: AVBatch) -> None:
    cache = network.new_cache(window=2, sinks=1)
    for k in range(5):
        cache = network.encode(batch.latents.slice(k, k + 1), batch.condition.slice(k, k + 1), k, cache)
    assert sorted(set(cache.tokens.chunk.tolist())) == [0, 3, 4]
    assert cache.layers[0][0].shape[2] == len(cache.tokens.chunk)
    with pytest.raises(ValueError, match="not after the last cached chunk 4"):
        network.encode(batch.latents.slice(0, 1), batch.condition.slice(0, 1), 2, cache)


def test_windowed_streaming_equals_the_windowed_mask(network: AVTransformer, batch: AVBatch) -> None:
    """Eviction and masking are the same rule."""
    t = AV.both(torch.full((4, 1), 0.5))
    with torch.no_grad():
        short = network.new_cache(window=2)
        for k in range(4):
            short = network.encode(batch.latents.slice(k, k + 1), batch.condition.slice(k, k + 1), k, short)
        here = batch.condition.slice(4, 5)
        streamed = network.denoise(batch.latents.slice(4, 5), t, t, here, 4, short)
        masked = network.encode(
            batch.latents.slice(0, 4), batch.condition.slice(0, 4), 0, network.new_cache(window=2)
        )
        whole = network.denoise(batch.latents.slice(4, 5), t, t, here, 4, masked)
    assert torch.allclose(streamed.any, whole.any, atol=1e-5)
