from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.training.batches import LatentSet
from mfbench.training.budget import affordable_steps
from tests.training.test_runner import PLAN, _method, _train

pytestmark = pytest.mark.filterwarnings("ignore")  # mmengine warns about its own defaults


@pytest.mark.parametrize("currency", ["flops", "evaluations"])
def test_a_training_costs_what_it_was_given(
    currency: str, clip_spec: ClipSpec, latent_set: LatentSet, tmp_path: Path
) -> None:
    """Twenty steps' mean predicts the cost of the whole training; the method itself stays untouched."""
    spent = _train(_method(clip_spec), latent_set, tmp_path / "a", steps=40)
    amount = {"flops": spent.flops, "evaluations": spent.evaluations}[currency]
    method = _method(clip_spec)
    before = [p.clone() for p in method.parameters()]
    steps = affordable_steps(method, latent_set, PLAN, torch.device("cpu"), amount=amount, currency=currency)
    assert steps == pytest.approx(40, rel=0.15)
    assert all(torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))
