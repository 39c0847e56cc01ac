from __future__ import annotations

from mfbench.report.document import Table
from mfbench.report.estimates import Estimates
from mfbench.report.load import load
from mfbench.report.rankings import rankings
from tests.report.conftest import Built


def _tables(built: Built) -> list[Table]:
    study = load([built.run])
    section = rankings(study, Estimates(study), "kavd_lite", "chunk_latency_ms_p50")
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)]


def test_the_clear_winner_at_four_steps_is_best_in_every_replicate(built: Built) -> None:
    ranks = _tables(built)[0]
    rows = {row[0].text: row for row in dict(ranks.groups)["4 steps"]}
    assert rows["MutualForcing"][1].text == "1.00"
    assert rows["MutualForcing"][2].text == "1.0"
    assert rows["TeacherForcing"][2].text == "3.0"
    assert float(rows["MutualForcing"][3].text) > 0.5
    assert rows["TeacherForcing"][3].text == "–"  # not against itself


def test_the_volume_of_a_method_that_dominates_is_the_largest(built: Built) -> None:
    volumes = {row[0].text: float(row[1].text) for row in _tables(built)[1].groups[0][1]}
    assert volumes["MutualForcing"] > volumes["SelfForcing"] > 0
