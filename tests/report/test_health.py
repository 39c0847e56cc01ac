from __future__ import annotations

from dataclasses import replace

from mfbench.report.document import Table
from mfbench.report.health import health
from mfbench.report.load import load
from tests.report.conftest import Built


def test_the_last_probe_of_every_method_is_shown_apart_from_its_losses(built: Built) -> None:
    section = health(load([built.run]))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for _, rows in table.groups for row in rows] == [
        "MutualForcing",
        "TeacherForcing",
        "SelfForcing",
    ]
    last = built.record("MutualForcing@1-t0-s0")["curves"]["probe_mode_gap"][-1][1]
    names = [column.name for column in table.columns]
    assert table.groups[0][1][0][names.index("mode_gap")].text == f"{last:.3f}"
    page = (built.out / "index.html").read_text()
    assert "Course of the probes" in page
    losses = page[page.index("Training curves") : page.index("Course of the probes")]
    assert "flow_matching" in losses
    assert "mode_gap" not in losses[: losses.index("Health of the trainings")]


def test_a_study_without_probes_has_no_such_section(built: Built) -> None:
    study = load([built.run])
    bare = tuple(replace(cell, extra={}) for cell in study.cells)
    assert health(replace(study, cells=bare)) is None
