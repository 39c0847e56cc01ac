"""Experiments with one value changed: nonsense is refused with the key's path, the rest still plans.

`mutations.tsv` holds what an earlier edition accepted of 1,000 mutations of `experiments/smoke.py`: `refused`
is nonsense that it trained or failed on late, `planned` is sensible.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mfbench.bench import plan
from mfbench.bench.experiment import load
from mfbench.errors import UsageError

HERE = Path(__file__).parent
SMOKE = Config.fromfile(HERE.parent.parent / "experiments/smoke.py", import_custom_modules=False).to_dict()
Values = dict[str, Any]


def _without(section: str, key: str = "") -> Callable[[Values], None]:
    def change(values: Values) -> None:
        if key:
            values[section].pop(key, None)
        else:
            values.pop(section, None)

    return change


def _methods(*entries: Values) -> Callable[[Values], None]:
    return lambda values: values.update(methods=list(entries))


STRUCTURES: dict[str, tuple[str, Callable[[Values], None]]] = {
    "1000 methods": (
        "",
        _methods(
            {"type": "TeacherForcing"},
            *({"type": "MutualForcing", "name": f"M{i}", "guidance": float(i)} for i in range(1000)),
        ),
    ),
    "identical options twice": (
        "",
        _methods({"type": "TeacherForcing"}, {"type": "TeacherForcing", "name": "A"}),
    ),
    "baseline missing method": ("report.baseline", _methods({"type": "MutualForcing"})),
    "budget in method float": (
        "methods.1.budget.few_step_steps",
        lambda values: values["methods"][1].update(budget={"few_step_steps": 2.5}),
    ),
    "methods dup names differing case": (
        "methods.1",
        _methods({"type": "TeacherForcing"}, {"type": "MutualForcing", "name": "teacherforcing"}),
    ),
    "name of another class": (
        "methods.1.name",
        _methods({"type": "TeacherForcing"}, {"type": "MutualForcing", "name": "SelfForcing"}),
    ),
    "steps not designed only": ("axes.steps", lambda values: values["axes"].update(steps=[3])),
}


def _changed(mutation: str) -> tuple[str, Values]:
    """Path of the key, and the values of the experiment."""
    values = copy.deepcopy(SMOKE)
    if mutation in STRUCTURES:
        path, change = STRUCTURES[mutation]
        change(values)
    elif mutation.startswith("missing "):
        path = mutation.split()[-1]
        _without(*path.split("."))(values)
    elif mutation.startswith("section "):
        path, _, text = mutation.removeprefix("section ").partition("=")
        values[path] = ast.literal_eval(text)
    else:
        path, _, text = mutation.partition("=")
        *above, last = (int(key) if key.isdigit() else key for key in path.split("."))
        place: Any = values
        for key in above:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[last] = ast.literal_eval(text)
    return path, values


def _cases(expected: str) -> list[str]:
    rows = [line.split("\t") for line in (HERE / "mutations.tsv").read_text().splitlines()]
    return [mutation for outcome, mutation in rows if outcome == expected]


def _written(folder: Path, values: Values) -> Path:
    path = folder / "changed.py"
    path.write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()))
    return path


@pytest.mark.parametrize("mutation", _cases("refused"))
def test_nonsense_is_refused_with_the_path_of_its_key(mutation, tmp_path):
    path, values = _changed(mutation)
    with pytest.raises(UsageError) as caught:
        load(_written(tmp_path, values))
    assert f" {path}" in str(caught.value)


@pytest.mark.parametrize("mutation", _cases("planned"))
def test_what_makes_sense_still_plans(mutation, tmp_path):
    _, values = _changed(mutation)
    made = plan.make(load(_written(tmp_path, values)), {})
    assert len(made.cells) > len(plan.ANCHORS)
