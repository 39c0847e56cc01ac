"""Training: deterministic, resumes bit-equal, refuses broken checkpoints, stops on divergence."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.registry import METHODS, import_tree
from mfbench.training.adapter import DivergenceError
from mfbench.training.batches import BatchPlan, LatentSet, step_generator
from mfbench.training.checkpoints import CheckpointError, last_verified, load_network, save_network
from mfbench.training.cost import call_flops
from mfbench.training.runner import TrainingJob, TrainingOutcome, train
from mfbench.types import AV, AVBatch
from tests.conftest import make_condition, make_latents, make_network

pytestmark = pytest.mark.filterwarnings("ignore")  # mmengine warns about its own defaults
import_tree("baselines")
PLAN = BatchPlan(seed=3, batch_size=4, min_chunks=2, max_chunks=5)


def _method(clip_spec: ClipSpec) -> Method:
    networks = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    made = METHODS.build({"type": "MutualForcing", "networks": networks})
    assert isinstance(made, Method)
    return made


def _train(method: Method, data: LatentSet, folder: Path, steps: int = 6) -> TrainingOutcome:
    job = TrainingJob(
        name="test",
        method=method,
        data=data,
        plan=PLAN,
        steps=steps,
        work_dir=folder,
        device=torch.device("cpu"),
        progress=lambda done, total, rate: None,
        checkpoint_every=2,
    )
    return train(job)


def test_a_training_of_one_step_is_one(clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path) -> None:
    method = _method(clip_spec)
    before = method.student.state_dict()["branches.video.embed.weight"].clone()
    assert _train(method, latent_set, tmp_path, steps=1).calls > 0
    assert not torch.equal(method.student.state_dict()["branches.video.embed.weight"], before)


class _Killed(Exception):
    pass


def _kill_at(method: Method, step: int) -> None:
    """Make a method die like a process would, in the middle of a step."""
    original = method.loss

    def loss(batch: AVBatch, now: int, generator: torch.Generator):  # type: ignore[no-untyped-def]
        if now == step:
            raise _Killed
        return original(batch, now, generator)

    method.loss = loss  # type: ignore[method-assign]


def test_a_killed_run_continues_to_the_same_bits(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    whole = _method(clip_spec)
    undisturbed = _train(whole, latent_set, tmp_path / "whole")
    first = _method(clip_spec)
    _kill_at(first, 5)
    with pytest.raises(_Killed):
        _train(first, latent_set, tmp_path / "parts")
    second = _method(clip_spec)
    resumed = _train(second, latent_set, tmp_path / "parts")
    assert resumed == undisturbed  # curves and costs
    for key, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_a_truncated_checkpoint_falls_back_to_the_one_before(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    _train(_method(clip_spec), latent_set, tmp_path)
    newest = last_verified(tmp_path)
    assert newest is not None
    assert newest.name == "iter_6.pth"
    newest.write_bytes(newest.read_bytes()[:1000])
    before = last_verified(tmp_path)
    assert before is not None
    assert before.name == "iter_4.pth"


def test_what_loads_and_is_no_checkpoint_is_passed_over(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    _train(_method(clip_spec), latent_set, tmp_path)
    torch.save([1], tmp_path / "iter_9.pth")
    torch.save({"weights": torch.zeros(1)}, tmp_path / "iter_8.pth")
    (tmp_path / "iter_last.pth").touch()
    found = last_verified(tmp_path)
    assert found is not None
    assert found.name == "iter_6.pth"


class _Malice:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("pwned"),)  # type: ignore[return-value]


def test_a_malicious_checkpoint_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": _Malice()}, tmp_path / "iter_3.pth")
    (tmp_path / "iter_2.pth").write_bytes(pickle.dumps(_Malice()))
    assert last_verified(tmp_path) is None
    assert not (tmp_path / "pwned").exists()


def test_published_weights_refuse_truncation_and_foreign_files(clip_spec: ClipSpec, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_network(make_network(clip_spec), path, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        load_network(path)
    with pytest.raises(CheckpointError, match="not a readable safetensors"):
        load_network(tmp_path / "missing.safetensors")


def test_divergence_stops_with_a_clear_error(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    method = _method(clip_spec)
    with torch.no_grad():
        method.student.branches["video"].head.bias.fill_(float("nan"))
    with pytest.raises(DivergenceError, match="loss of MutualForcing is nan at step 0"):
        _train(method, latent_set, tmp_path)


def test_batches_are_a_function_of_seed_and_step(latent_set: LatentSet) -> None:
    a, b, c = (PLAN.batch(latent_set, step) for step in (4, 4, 5))
    assert torch.equal(a.latents.any, b.latents.any)
    assert a.latents.any.shape != c.latents.any.shape or not torch.equal(a.latents.any, c.latents.any)
    lengths = {PLAN.chunks(step) for step in range(60)}
    assert lengths == {2, 3, 4, 5}


def test_every_clip_is_seen_once_an_epoch(latent_set: LatentSet) -> None:
    marked = LatentSet(
        AV(torch.arange(12.0).view(12, 1, 1, 1).expand(12, 5, 1, 1), None),
        latent_set.frame_reference,
        latent_set.voice,
        latent_set.words,
    )
    seen = torch.cat([PLAN.batch(marked, step).latents.any[:, 0, 0, 0] for step in range(3)])
    assert sorted(seen.tolist()) == list(range(12))


def test_the_same_weights_give_the_same_file(clip_spec: ClipSpec, tmp_path: Path) -> None:
    """Eight times, because a header of several entries comes in a random order."""
    network = make_network(clip_spec)
    files = [tmp_path / f"{k}.safetensors" for k in range(8)]
    for path in files:
        save_network(network, path, {"method": "A", "stage": "train"})
    assert len({path.read_bytes() for path in files}) == 1


def test_step_streams_differ() -> None:
    values = {float(torch.rand((), generator=step_generator(s, k))) for s in range(3) for k in range(5)}
    assert len(values) == 15


@pytest.mark.parametrize("history", [True, False])
def test_flops_match_the_flop_counter(clip_spec: ClipSpec, *, history: bool) -> None:
    """The analytic count against torch's own, on the math attention that it can see."""
    from torch.utils.flop_counter import FlopCounterMode

    net, x, condition = make_network(clip_spec), make_latents(clip_spec, 2, 5), make_condition(2, 5)
    t = AV.both(torch.full((2, 5), 0.5))
    with torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        with FlopCounterMode(display=False) as counter:
            if history:
                net.encode(x, condition, 0, net.new_cache())
            else:
                net.denoise(x, t, t, condition, 0, net.new_cache())
        counted = counter.get_total_flops()
    assert call_flops(net, x, 0, history_only=history) == pytest.approx(counted, rel=0.03)
