from __future__ import annotations

import pytest

from mfbench.bench import record


def good() -> dict[str, object]:
    metric = {"value": 1.5, "unit": "ms", "kind": "timing", "higher_is_better": False, "n": 3}
    return {
        "schema": 1,
        "experiment": "e",
        "cell": "M@4-t0-s0",
        "method": "M",
        "steps": 4,
        "train_seed": 0,
        "sample_seed": 0,
        "status": "ok",
        "error": None,
        "metrics": {"latency": {**metric, "coverage": 1.0, "status": "ok", "per_clip": None}},
        "stages": {"train": "abc"},
        "artifacts": {},
        "media": [],
        "provenance": {},
    }


def test_round_trip(tmp_path):
    path = record.write(tmp_path / "records", good())
    assert path.name == "M@4-t0-s0.json"
    assert record.read(path) == good()
    assert record.read_all(path.parent) == [good()]
    assert record.validate({**good(), "drift": {"colour": []}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"status": "fine"}, "'fine'"),
        ({"steps": "4"}, "'steps'"),
        ({"steps": True}, "'steps'"),
        ({"colour": 1}, "unknown keys"),
        ({"metrics": {"m": {}}}, "'value' is missing"),
        ({"metrics": {"m": {**good()["metrics"]["latency"], "kind": "odd"}}}, "'odd'"),
        ({"metrics": {"m": {**good()["metrics"]["latency"], "value": float("inf")}}}, "not finite"),
        ({"metrics": {"m": {**good()["metrics"]["latency"], "value": "1"}}}, "no number"),
    ],
)
def test_what_breaks_the_schema_is_named(change, message):
    with pytest.raises(record.RecordError, match=message):
        record.validate({**good(), **change})


@pytest.mark.parametrize("key", list(record.KEYS))
def test_every_key_is_needed(key):
    broken = good()
    del broken[key]
    with pytest.raises(record.RecordError, match=f"'{key}' is missing"):
        record.validate(broken)


def test_files_that_hold_no_record(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{")
    with pytest.raises(record.RecordError, match="not JSON"):
        record.read(path)
    path.write_text("[]")
    with pytest.raises(record.RecordError, match="holds no record"):
        record.read(path)
