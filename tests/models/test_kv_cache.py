from __future__ import annotations

import pytest
import torch

from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, AVBatch


def _denoised(net: AVTransformer, batch: AVBatch, calls: int) -> list[AV]:
    """Several calls of chunk 3 on one history of three chunks, each with other noise."""
    past, here = batch.latents.slice(0, 3), batch.condition.slice(3, 4)
    cache = net.encode(past, batch.condition.slice(0, 3), 0, net.new_cache())
    t = AV.both(torch.full((past.batch, 1), 0.5))
    noisy = batch.latents.slice(3, 4)
    return [net.denoise(noisy.map(lambda x, i=i: x + i), t, t, here, 3, cache) for i in range(calls)]  # type: ignore[misc]


def test_writing_behind_the_history_in_place_equals_concatenation(
    network: AVTransformer, batch: AVBatch
) -> None:
    """Without autograd later calls reuse the buffer of the first; the results must not change."""
    with torch.enable_grad():
        wanted = _denoised(network, batch, 3)
    with torch.no_grad():
        found = _denoised(network, batch, 3)
    for a, b in zip(wanted, found, strict=True):
        for name, value in a.parts().items():
            torch.testing.assert_close(value.detach(), b.parts()[name], atol=1e-6, rtol=1e-5)


def test_an_appended_cache_forgets_what_followed_from_the_shorter_one(
    network: AVTransformer, batch: AVBatch
) -> None:
    with torch.no_grad():
        cache = network.encode(batch.latents.slice(0, 2), batch.condition.slice(0, 2), 0, network.new_cache())
        t = AV.both(torch.full((batch.latents.batch, 1), 0.5))
        network.denoise(batch.latents.slice(2, 3), t, t, batch.condition.slice(2, 3), 2, cache)
        assert cache.scratch
        longer = network.encode(batch.latents.slice(2, 3), batch.condition.slice(2, 3), 2, cache)
    assert not longer.scratch
    assert not cache.detached().scratch


def test_histories_grow_forward_only(network: AVTransformer, batch: AVBatch) -> None:
    with torch.no_grad():
        cache = network.encode(batch.latents.slice(0, 2), batch.condition.slice(0, 2), 0, network.new_cache())
        with pytest.raises(ValueError, match="chunk 1 is not after the last cached chunk 1"):
            network.encode(batch.latents.slice(1, 2), batch.condition.slice(1, 2), 1, cache)
