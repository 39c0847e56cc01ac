from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfbench.bench.record import RecordError
from mfbench.report.load import load
from tests.report.conftest import Built
from tests.report.synthetic import Plan, write_run


def test_cells_come_in_the_order_of_the_experiment(built: Built) -> None:
    study = load([built.run])
    assert study.name == "steps_sweep"
    assert study.methods == ("MutualForcing", "TeacherForcing", "SelfForcing")
    assert study.steps == (1, 4, 50)
    assert study.groups()[:2] == (("real", None), ("null", None))


def test_a_folder_of_records_is_the_same_as_its_run(built: Built) -> None:
    assert [c.name for c in load([built.run / "records"]).cells] == [c.name for c in load([built.run]).cells]
    assert load([built.run / "records"]).cells[0].media[0].path.is_file()


def test_missing_clips_become_nan_not_zero(built: Built) -> None:
    cell = next(c for c in load([built.run]).cells if c.name == "SelfForcing@4-t0-s0")
    clips = cell.metrics["per"].per_clip
    assert clips is not None
    assert np.isnan(clips[3])
    assert np.isfinite(np.delete(clips, 3)).all()


def test_of_two_shards_the_good_record_counts(tmp_path: Path) -> None:
    plan = Plan(methods=("SelfForcing",), steps=(4,), seeds=(0,), media=False)
    good, bad = write_run(tmp_path / "good", plan), write_run(tmp_path / "bad", plan)
    path = bad / "records" / "SelfForcing@4-t0-s0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": "failed", "metrics": {}}))
    for folders in ([good, bad], [bad, good]):
        study = load(folders)
        assert len(study.cells) == 3
        assert all(cell.ok for cell in study.cells)


def test_broken_records_are_named(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    with pytest.raises(RecordError, match="no records in"):
        load([tmp_path])
    (tmp_path / "records" / "x.json").write_text("{")
    with pytest.raises(RecordError, match=r"x\.json is not JSON"):
        load([tmp_path])
    (tmp_path / "records" / "x.json").write_text('{"cell": "x"}')
    with pytest.raises(RecordError, match="record x: 'schema' is missing"):
        load([tmp_path])


TINY = Plan(("TeacherForcing",), (1,), (0,), prompts=4, media=False, extras=False)


def _rewrite(run: Path, cell: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = run / "records" / f"{cell}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("wrap", [lambda values: values, lambda values: {"values": values}])
def test_replicates_come_as_a_list_or_with_their_scheme(tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    run = write_run(tmp_path / "run", TINY)
    listed = [float(v) for v in range(50)]
    _rewrite(run, "real", lambda content: content["metrics"]["kavd_lite"].update(bootstrap=wrap(listed)))
    cell = next(cell for cell in load([run]).cells if cell.name == "real")
    np.testing.assert_array_equal(cell.metrics["kavd_lite"].replicates, listed)


@pytest.mark.parametrize("path", ["../secret.png", "/somewhere/secret.png"])
def test_media_outside_the_run_folder_are_refused(tmp_path: Path, path: str) -> None:
    run = write_run(tmp_path / "run", TINY)
    _rewrite(run, "real", lambda content: content.update(media=[{"path": path, "role": "best"}]))
    with pytest.raises(RecordError, match="leaves the run folder"):
        load([run])


def test_linked_media_outside_the_run_folder_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", TINY)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (run / "media").mkdir()
    (run / "media" / "a.png").symlink_to(tmp_path / "secret.png")
    _rewrite(run, "real", lambda content: content.update(media=[{"path": "media/a.png", "role": "best"}]))
    with pytest.raises(RecordError, match="is a link that leaves the run folder"):
        load([run])


@pytest.mark.parametrize("text", ["", '{"report": {', "3"])
def test_broken_settings_are_named(tmp_path: Path, text: str) -> None:
    run = write_run(tmp_path / "run", TINY)
    (run / "experiment.json").write_text(text)
    with pytest.raises(
        RecordError, match=r"experiment\.json of run is damaged .*the same run writes it anew"
    ):
        load([run])
