"""What a training is paid, from its own budget and from what its parents cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mfbench.bench.bodies.train import spent_before, steps_of
from mfbench.bench.stage import StageContext
from mfbench.registry import import_tree

import_tree("baselines")
TEACHER = {"b": {"steps": 600, "evaluations": 6e3, "flops": 6e9}}


def _parent(**values: object) -> Any:
    return SimpleNamespace(result=SimpleNamespace(values=values))


def _context(component: str, budget: dict[str, float], **parents: Any) -> StageContext:
    spec = SimpleNamespace(component=component)
    return SimpleNamespace(spec=spec, fields={"budget": budget}, parents=parents)  # type: ignore[return-value]


def _affordable(*, amount: float, currency: str) -> int:
    return int(amount / {"flops": 1e7, "evaluations": 10}[currency])


def test_a_shared_ancestor_is_charged_once() -> None:
    """Self-Forcing pays for its teacher and its initialisation; the causal checkpoint is free."""
    init = {**TEACHER, "o": {"steps": 60, "evaluations": 1e3, "flops": 1e9}}
    context = _context(
        "SelfForcing", {"flops": 9e9}, ODEInit=_parent(spent=init), Bidirectional=_parent(spent=TEACHER)
    )
    before = spent_before(context)
    assert before == init
    assert steps_of(context, before, _affordable) == 200  # (9 - 6 - 1) GFLOP at 10 MFLOP a step


@pytest.mark.parametrize(("currency", "amount", "steps"), [("evaluations", 8e3, 200), ("steps", 800, 200)])
def test_every_currency_counts_the_ancestors(currency: str, amount: float, steps: int) -> None:
    context = _context("CausVid", {currency: amount}, Bidirectional=_parent(spent=TEACHER))
    assert steps_of(context, spent_before(context), _affordable) == steps


def test_an_overspent_budget_says_by_how_much() -> None:
    context = _context("SelfForcing", {"flops": 5e9}, Bidirectional=_parent(spent=TEACHER))
    with pytest.raises(ValueError, match=r"leaves -1e\+09 for SelfForcing.*cost 6e\+09; raise flops"):
        steps_of(context, spent_before(context), _affordable)


def test_explicit_steps_and_the_control() -> None:
    assert steps_of(_context("MutualForcing", {"optimiser_steps": 7}), {}, _affordable) == 7
    rival = _parent(flops=4e9, spent={"m": TEACHER["b"]})
    start = _parent(flops=1e9, steps=100, spent={})
    context = _context("ContinuedTeacherForcing", {"flops": 1.0}, TeacherForcing=start, MutualForcing=rival)
    assert spent_before(context) == {}
    assert steps_of(context, {}, _affordable) == 400
