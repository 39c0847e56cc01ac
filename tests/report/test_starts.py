from __future__ import annotations

from dataclasses import replace

from mfbench.report.document import Note, Table
from mfbench.report.estimates import Estimates
from mfbench.report.load import load
from mfbench.report.starts import starts
from tests.report.conftest import Built


def test_a_method_that_does_not_improve_on_its_start_is_named(built: Built) -> None:
    study = load([built.run])
    reversed_ = {
        "SelfForcing": "MutualForcing",
        "MutualForcing": "TeacherForcing",
        "Elsewhere": "TeacherForcing",
    }
    study = replace(study, settings=study.settings | {"starts": reversed_})
    section = starts(study, Estimates(study), ("kavd_lite",))
    assert section is not None
    notes = [block.text for block in section.blocks if isinstance(block, Note)]
    assert notes == ["No improvement on the start in `kavd_lite` at any of these steps: SelfForcing."]


def test_only_steps_that_the_method_was_made_for_are_compared(built: Built) -> None:
    study = load([built.run])
    section = starts(study, Estimates(study), ("kavd_lite",))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    shown = {title: [row[0].text for row in rows] for title, rows in table.groups}
    assert shown["4 steps"] == ["MutualForcing", "SelfForcing"]
    assert shown["50 steps"] == ["MutualForcing"]  # SelfForcing@50 is off its design
    assert 'id="starts"' in (built.out / "index.html").read_text()


def test_without_the_start_there_is_no_such_section(built: Built) -> None:
    study = load([built.run])
    bare = replace(study, settings=study.settings | {"starts": {"MutualForcing": "Elsewhere"}})
    assert starts(bare, Estimates(bare), ("kavd_lite",)) is None
