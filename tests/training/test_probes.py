"""Probes tell what they claim, and a probed training ends in the same weights at the same counted cost."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS, import_tree
from mfbench.tracker import Tracker
from mfbench.training import probes
from mfbench.training.batches import BatchPlan, LatentSet, step_generator
from mfbench.training.runner import TrainingJob, TrainingOutcome, train
from mfbench.training.tracking import backends
from mfbench.types import AVBatch
from tests.conftest import make_network

pytestmark = pytest.mark.filterwarnings("ignore")  # mmengine warns about its own defaults
import_tree("baselines")
PLAN = BatchPlan(seed=3, batch_size=4, min_chunks=2, max_chunks=5)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _method(clip_spec: ClipSpec) -> Method:
    networks = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    made = METHODS.build({"type": "MutualForcing", "networks": networks})
    assert isinstance(made, Method)
    return made


def _batch(data: LatentSet) -> AVBatch:
    return data.window(torch.arange(2), torch.zeros(2, dtype=torch.long), 3)


def _ignoring_d(network: AVTransformer) -> AVTransformer:
    """The embedding of d is silenced, as in a checkpoint of plain flow matching."""
    for parameter in network.steps.parameters():
        parameter.data.zero_()
    return network


def test_a_network_that_ignores_d_has_cosine_one_and_another_has_less(
    clip_spec: ClipSpec, latent_set: LatentSet
) -> None:
    batch = _batch(latent_set)
    blind = probes.jump_cosine(_ignoring_d(make_network(clip_spec)), batch, _generator())
    assert blind == pytest.approx(1.0, abs=1e-5)
    assert probes.jump_cosine(make_network(clip_spec), batch, _generator()) < 0.9999


def test_the_modes_agree_better_with_equal_steps(
    clip_spec: ClipSpec, latent_set: LatentSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, batch = _ignoring_d(make_network(clip_spec)), _batch(latent_set)
    apart = probes.mode_gap(network, batch, _generator())
    assert apart > 1e-3
    monkeypatch.setattr(probes, "FEW", probes.MANY)
    assert probes.mode_gap(network, batch, _generator()) == pytest.approx(0.0, abs=1e-5)


def test_the_gradient_share_follows_the_branch_that_learns(
    clip_spec: ClipSpec, latent_set: LatentSet
) -> None:
    latents, condition = _batch(latent_set).latents, _batch(latent_set).condition
    ones = latents.map(lambda x: torch.ones(x.shape[:2]))

    def share(learning: str) -> float:
        network = make_network(clip_spec)
        assert probes.gradient_share(network) is None
        out = network.denoise_on(latents, latents, ones, ones, condition)
        out.parts()[learning].square().mean().backward()
        found = probes.gradient_share(network)
        assert found is not None
        assert found == pytest.approx(1 - (probes.gradient_share(network, "video") or 0.0))
        return found

    assert share("audio") > 0.5 > share("video")  # joint attention moves the other branch a little


def test_probes_reach_the_tracker_with_their_step(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tracker's backend takes values together; one by one they would go nowhere."""
    sent: list[dict[str, float]] = []
    monkeypatch.setattr(Tracker, "log", lambda _, values: sent.append(values))
    job = TrainingJob(
        name="test",
        method=_method(clip_spec),
        data=latent_set,
        plan=PLAN,
        steps=3,
        work_dir=tmp_path / "tracked",
        device=torch.device("cpu"),
        progress=lambda done, total, rate: None,
        probe=lambda _: {"probe_a": 0.5, "probe_b": 2.0},
        vis_backends=backends("wandb-offline", tmp_path, "test"),
    )
    train(job)
    probed = [values for values in sent if "probe_a" in values]
    assert [values["global_step"] for values in probed] == [0, 2]
    assert all(values["probe_b"] == 2.0 for values in probed)


def test_a_probed_training_is_the_same_training(
    clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    def run(name: str, *, probed: bool) -> tuple[Method, TrainingOutcome]:
        method = _method(clip_spec)
        batch = _batch(latent_set)

        def probe(now: Method) -> dict[str, float]:
            return {"probe_mode_gap": probes.mode_gap(now.ema, batch, step_generator(0, 0))}

        job = TrainingJob(
            name="test",
            method=method,
            data=latent_set,
            plan=PLAN,
            steps=6,
            work_dir=tmp_path / name,
            device=torch.device("cpu"),
            progress=lambda done, total, rate: None,
            probe=probe if probed else None,
        )
        return method, train(job)

    plain, without = run("plain", probed=False)
    watched, outcome = run("watched", probed=True)
    assert (outcome.evaluations, outcome.flops) == (without.evaluations, without.flops)
    points = outcome.curves.pop("probe_mode_gap")
    assert [step for step, _ in points] == [0, 5]
    assert outcome.probe_seconds > 0
    assert outcome.curves == without.curves
    assert all(0 < share < 1 for _, share in without.curves["gradient_share_audio"])
    for key, value in plain.state_dict().items():
        assert torch.equal(value, watched.state_dict()[key]), key
