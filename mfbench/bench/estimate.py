"""How long stages will take: from what earlier ones took here, else from rough constants."""

from __future__ import annotations

import json

from mfbench.bench.plan import Plan
from mfbench.bench.stage import Stage
from mfbench.bench.store import Store

# Seconds per stage on one core, for a plan that has nothing to go by; trainings are per
# optimiser step, generation and timing per denoising step.
DEFAULT_S = {"data": 15.0, "codec": 5.0, "judge": 10.0, "generate": 0.4, "score": 5.0, "time": 0.5}
DEFAULT_STEP_S = 0.08
STEP_COST = {"optimiser_steps": 1.0, "steps": 1.0, "evaluations": 2e3, "flops": 1.4e10}  # of one step
START_S = 5.0  # imports of one process


def seconds(plan: Plan, store: Store, todo: list[str]) -> dict[str, float]:
    """Estimated seconds per stage to run."""
    known = _history(store)
    return {id_: _estimate(plan.stages[id_], known) for id_ in todo}


def _estimate(stage: Stage, known: dict[tuple[str, str], float]) -> float:
    units = _units(stage.kind, stage.spec.fields)
    per_unit = known.get((stage.kind, stage.spec.component), known.get((stage.kind, "")))
    if per_unit is None:
        training = stage.kind in ("pretrain", "train")
        return units * (DEFAULT_STEP_S if training else DEFAULT_S[stage.kind])
    return units * per_unit


def _units(kind: str, fields: dict[str, object]) -> float:
    budget = fields.get("budget")
    if kind in ("pretrain", "train") and isinstance(budget, dict):
        return max([float(budget[name]) / per for name, per in STEP_COST.items() if name in budget] or [1.0])
    steps = fields.get("steps")
    if kind in ("generate", "time") and isinstance(steps, int):
        return 4.0 + steps  # loading and writing cost about as much as a few steps
    return 1.0


def _history(store: Store) -> dict[tuple[str, str], float]:
    """Mean seconds per unit by (kind, component) and by kind, from the finished stages of the run folder."""
    seen: dict[tuple[str, str], list[float]] = {}
    for path in store.root.glob("stages/*/*/result.json"):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))["run"]
            spec = json.loads((path.parent / "spec.json").read_text(encoding="utf-8"))["spec"]
        except (OSError, ValueError, KeyError):
            continue
        took = (run["finished"] - run["started"]) / _units(spec["kind"], spec["fields"])
        for key in ((spec["kind"], spec["component"]), (spec["kind"], "")):
            seen.setdefault(key, []).append(took)
    return {key: sum(values) / len(values) for key, values in seen.items()}
