from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mfbench.report.document import Table, Text
from mfbench.report.estimates import Estimates
from mfbench.report.load import Cell, Metric, Study
from mfbench.report.steps_needed import steps_needed

PROMPTS = 40


def _cell(method: str, steps: int, levels: Mapping[str, float], noise: float) -> Cell:
    """Clips with a common part per prompt and a part of their own, both with mean 0."""
    own = np.random.default_rng([steps, len(method)]).normal(size=PROMPTS)
    own -= own.mean()
    metrics = {
        name: Metric(name, level, "", "quality", False, PROMPTS, 1.0, "ok", level + noise * own, None)
        for name, level in levels.items()
    }
    return Cell("e", f"{method}@{steps}", method, steps, 0, 0, "ok", None, metrics, (), {}, {})


def _study(values: Mapping[str, Mapping[int, float]], noise: float) -> Study:
    cells = [
        _cell(method, steps, {"per": level, "kavd_lite": 1.0 + 0.0 * level}, noise)
        for method, levels in values.items()
        for steps, level in levels.items()
    ]
    settings = {"report": {"baseline": "Slow@50"}, "methods": list(values)}
    return Study("e", tuple(cells), settings)


def _rows(study: Study) -> tuple[list[str], dict[str, list[tuple[str, str]]]]:
    text, table = steps_needed(study, Estimates(study))
    assert isinstance(text, Text)
    assert isinstance(table, Table)
    rows = {row[0].text: [(value.text, value.note) for value in row[1:]] for row in table.groups[0][1]}
    return [column.name for column in table.columns[1:]], rows


def test_the_fewest_steps_that_keep_95_percent_of_the_effect() -> None:
    # the effect is 1.0 - 0.2 = 0.8, so 95 % of it is a value of 0.24
    values = {
        "Slow": {1: 1.0, 4: 0.5, 8: 0.23, 50: 0.2},
        "Fast": {1: 0.9, 4: 0.239, 8: 0.3},
        "Never": {1: 1.0, 4: 0.25, 8: 0.241},
    }
    metrics, rows = _rows(_study(values, noise=1e-6))
    assert metrics == ["per"]  # steps do not move the other metric, which has no scale
    assert rows == {
        "Slow": [("8", "surely 8")],
        "Fast": [("4", "surely 4")],
        "Never": [("> 8", "surely > 8")],
    }


def test_a_share_within_its_noise_is_not_sure() -> None:
    values = {"Slow": {1: 1.0, 8: 0.23, 50: 0.2}, "Fast": {1: 0.9, 8: 0.238}}
    _, rows = _rows(_study(values, noise=0.3))
    assert rows["Fast"] == [("8", "surely > 8")]
    assert rows["Slow"] == [("8", "surely 50")]  # the end of the scale has all of it by definition


def test_without_an_effect_of_steps_there_is_no_table() -> None:
    study = _study({"Slow": {1: 0.2, 50: 0.2}}, noise=0.1)
    assert steps_needed(study, Estimates(study)) == ()
