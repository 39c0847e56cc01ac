"""The rollout's two-pass gradient against the direct one."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import Tensor

from mfbench.clip_spec import ClipSpec
from mfbench.flows.rollout import Horizon, rollout
from mfbench.flows.samplers import Gradient, GradientPolicy, fresh_noise
from mfbench.flows.times import grid
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, SamplerSpec
from tests.conftest import make_condition, make_latents, make_network

SPEC = SamplerSpec(solver="renoise", times=grid(3, 5.0))


def _clip(network: AVTransformer, chunks: int, gradient: Gradient, window: int | None = None) -> AV:
    noise = fresh_noise(make_latents(network.spec.clip, 2, chunks), torch.Generator().manual_seed(1))
    draws = torch.Generator().manual_seed(2)
    horizon = Horizon(window=window)
    return rollout(network, make_condition(2, chunks), noise, SPEC, draws, horizon=horizon, gradient=gradient)


def _gradients(network: AVTransformer, gradient: Gradient) -> tuple[AV, list[Tensor]]:
    clip = _clip(network, 4, gradient)
    weights = {name: torch.linspace(-1, 1, x.numel()).view_as(x) for name, x in clip.parts().items()}
    loss = sum(((x * weights[name]).sum() ** 2 for name, x in clip.parts().items()), torch.zeros(()))
    network.zero_grad()
    loss.backward()
    return clip.detach(), [p.grad.clone() for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("policy", ["all", "last", "exit", "straight_through"])
def test_the_two_pass_gradient_equals_the_direct_one(network: AVTransformer, policy: GradientPolicy) -> None:
    direct_clip, direct = _gradients(network, Gradient(policy, 1))
    clip, gradients = _gradients(network, Gradient(policy, 1, two_pass=True))
    assert all(torch.equal(x, clip.parts()[name]) for name, x in direct_clip.parts().items())
    assert len(gradients) == len(direct) > 10
    for got, wanted in zip(gradients, direct, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_its_memory_does_not_grow_with_the_number_of_chunks(clip_spec: ClipSpec) -> None:
    """Bytes that autograd keeps alive at once; with a window, so that the history itself is bounded."""
    network = make_network(clip_spec)
    direct = [_peak_bytes(network, chunks, two_pass=False) for chunks in (6, 12)]
    replayed = [_peak_bytes(network, chunks, two_pass=True) for chunks in (6, 12)]
    assert direct[1] > 1.8 * direct[0]
    assert replayed[1] <= 1.02 * replayed[0]
    assert replayed[0] < 0.5 * direct[0]


def _peak_bytes(network: AVTransformer, chunks: int, *, two_pass: bool) -> int:
    counter = _Kept()
    with torch.autograd.graph.saved_tensors_hooks(counter.pack, counter.unpack):
        clip = _clip(network, chunks, Gradient("exit", 1, two_pass), window=2)
        torch.stack([x.pow(2).sum() for x in clip.parts().values()]).sum().backward()
    return counter.peak


class _Box:
    def __init__(self, value: Tensor) -> None:
        self.value = value


class _Kept:
    """Bytes of the tensors that autograd holds for its backward pass."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    def pack(self, value: Tensor) -> _Box:
        box, size = _Box(value), value.numel() * value.element_size()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(box, self._free, size)
        return box

    def unpack(self, box: _Box) -> Tensor:
        return box.value

    def _free(self, size: int) -> None:
        self.now -= size
