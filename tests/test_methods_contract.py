"""The contract, over every registered method: finite losses, promised gradients, step counts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import baselines  # noqa: F401 (the package under test)
from mfbench.bench.sampling import CallCounter, sampler_of
from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS, import_tree
from mfbench.training.checkpoints import load_network, save_network
from mfbench.types import AVBatch
from tests.conftest import make_condition, make_latents, make_network

import_tree("baselines")
NAMES = METHODS.names()

# roles whose parameters each loss may move; everything else must stay
MOVES = {"generator": ("student",), "critic": ("fake",)}
# (denoising calls per step and chunk, cache passes per chunk) without guidance: algorithms, section 2
CALLS = {True: (1, 1), False: (1, 0)}


def _make(name: str, clip_spec: ClipSpec) -> Method:
    registered = METHODS.get(name)
    fresh = make_network(clip_spec)
    parents = {parent: make_network(clip_spec, seed=i + 1) for i, parent in enumerate(registered.parents)}
    made = METHODS.build({"type": name, "networks": Parents(fresh, parents)})
    assert isinstance(made, Method)
    return made


def _step(method: Method, batch: AVBatch, seed: int = 0) -> dict[str, torch.Tensor]:
    return method.loss(batch, 0, torch.Generator().manual_seed(seed)).losses


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_finite_and_repeat_with_the_seed(name: str, clip_spec: ClipSpec, batch: AVBatch) -> None:
    first, again, other = (_step(_make(name, clip_spec), batch, seed) for seed in (0, 0, 1))
    assert first
    for group, loss in first.items():
        assert bool(torch.isfinite(loss))
        assert torch.equal(loss, again[group])
    assert any(not torch.equal(first[g], other[g]) for g in first)


@pytest.mark.parametrize("name", NAMES)
def test_each_loss_moves_its_own_networks_only(name: str, clip_spec: ClipSpec, batch: AVBatch) -> None:
    method = _make(name, clip_spec)
    for role in ("fake", "ema"):  # copies would make score differences vanish
        for parameter in getattr(method, role, nn.Module()).parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    for group, loss in _step(method, batch).items():
        method.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
        touched = {
            key.split(".")[0]
            for key, value in method.named_parameters()
            if value.grad is not None and bool(value.grad.abs().max() > 0)
        }
        assert touched == set(MOVES[group])
        promised = {id(p) for p in method.parameter_groups()[group]}
        moved = {id(p) for p in method.parameters() if p.grad is not None and bool(p.grad.abs().max() > 0)}
        assert moved <= promised


@pytest.mark.parametrize("name", NAMES)
def test_sampler_runs_at_every_legal_step_count_with_the_declared_calls(
    name: str, clip_spec: ClipSpec, batch: AVBatch
) -> None:
    network = make_network(clip_spec)
    chunks = clip_spec.chunks
    for steps in [s for s in METHODS.get(name).steps if s <= 8]:
        sampler = sampler_of(name, {}, network, steps)
        assert sampler.spec.steps == steps
        counter = CallCounter(2)
        handle = counter.watch(network)
        out = sampler.clip(make_condition(2, chunks), sampler.noise(2, chunks, 0), 0)
        handle.remove()
        assert bool(torch.isfinite(out.any).all())
        per_step, per_chunk = CALLS[sampler.spec.streaming]
        length = chunks if sampler.spec.streaming else 1
        assert counter.denoising == steps * per_step * length
        assert counter.cache == per_chunk * (chunks - 1)
    with pytest.raises(ValueError, match="at least 1 step"):
        sampler_of(name, {}, network, 0)


def test_guidance_counts_two_calls(clip_spec: ClipSpec) -> None:
    network = make_network(clip_spec)
    sampler = sampler_of("TeacherForcing", {"guidance": 2.0}, network, 2)
    counter = CallCounter(2)
    counter.watch(network)
    sampler.clip(make_condition(2, 5), sampler.noise(2, 5, 0), 0)
    assert counter.denoising == 2 * 2 * 5


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint_round_trip(name: str, clip_spec: ClipSpec, tmp_path) -> None:  # type: ignore[no-untyped-def]
    method = _make(name, clip_spec)
    save_network(method.ema, tmp_path / "w.safetensors", {"method": name})
    loaded = load_network(tmp_path / "w.safetensors")
    assert isinstance(loaded, AVTransformer)
    for a, b in zip(method.ema.state_dict().values(), loaded.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("history", ["free", "regenerated"])
@pytest.mark.parametrize("target", ["halves", "multi"])
def test_mutual_forcing_options(history: str, target: str, clip_spec: ClipSpec, batch: AVBatch) -> None:
    """Every open choice of the paper trains: history policy, target, CFG, gradient policy."""
    networks = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    for gradient in ("all", "last", "straight_through"):
        method = METHODS.build(
            {
                "type": "MutualForcing",
                "networks": networks,
                "history": history,
                "shortcut_target": target,
                "guidance": 2.0,
                "dmd_gradient": gradient,
                "independent_times": True,
                "target_weights": "live",
            }
        )
        losses = _step(method, batch)
        losses["generator"].backward()
        assert bool(torch.isfinite(losses["generator"]))
        assert method.student.branches["video"].head.weight.grad is not None


def test_history_gradient_is_an_option(clip_spec: ClipSpec, batch: AVBatch) -> None:
    """With `history_kv_grad` off the loss is the same and the gradient is not."""
    networks = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    grads = []
    for flag in (True, False):
        method = METHODS.build({"type": "MutualForcing", "networks": networks, "history_kv_grad": flag})
        _step(method, batch)["generator"].backward()
        grads.append(method.student.branches["video"].blocks[0].qkv.weight.grad.clone())
    assert not torch.allclose(grads[0], grads[1])


def test_latents_helper_matches_the_spec(clip_spec: ClipSpec) -> None:
    latents = make_latents(clip_spec, 2, 3)
    assert latents.parts()["video"].shape == (
        2,
        3,
        clip_spec.video_tokens_per_chunk,
        clip_spec.video_channels,
    )
