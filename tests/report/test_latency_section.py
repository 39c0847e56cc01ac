"""The latency section: with records of the new time stage, with old ones, and without any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mfbench.report import build, names
from mfbench.report.document import Details, Figures, Note, Section, Table, Text
from mfbench.report.estimates import Estimates
from mfbench.report.latency import SHOWN, STAGES, latency, stages_figure
from mfbench.report.load import load
from tests.report.conftest import Built
from tests.report.synthetic import entry

CALM = {"before": 0.4, "after": 1.0, "held": 0.99, "threads": 1, "cores": 2, "gpu_processes": None}
NEW = {
    "ttfc_cold_s": 0.9,
    "chunk_latency_ms_max": 61.0,
    "jitter_ms": 1.5,
    "jitter_ms_max": 20.0,
    "stall_ratio": 0.0,
    "min_buffer_s": 0.125,
    "latency_growth": 1.02,
    "peak_mem_mb": 812.0,
    "tflops_per_media_s": 2.5e-3,
    "wide_rtf": 0.8,
}


def timed(record: dict[str, Any], **load: Any) -> dict[str, Any]:
    """A record as the new time stage completes it."""
    times = {**NEW, **{name: 2.0 + k for k, name in enumerate(STAGES)}}
    found = {name: entry(value, "ms", False, kind="timing", n=3) for name, value in times.items()}
    found["rtf"] = record["metrics"]["rtf"] | {"per_clip": [0.5, 0.52, 0.6]}
    facts = {"load": CALM | load, "flops": {"network": 1.0, "decoding": 1.0, "uncounted": ["_fft_r2c"]}}
    return record | {"metrics": record["metrics"] | found, "timing": facts}


@pytest.fixture(scope="module")
def run(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic run with timings of the new stage; one of them was disturbed."""
    folder = tmp_path_factory.mktemp("timed") / "run"
    shutil.copytree(built.run, folder)
    for path in (folder / "records").glob("*@*.json"):
        record = json.loads(path.read_text())
        if record["status"] == "ok":
            disturbed = path.name.startswith("SelfForcing@4-")
            path.write_text(json.dumps(timed(record, **({"held": 0.8, "after": 2.5} if disturbed else {}))))
    return folder


def section(folder: Path) -> Section:
    study = load([folder])
    return latency(study, Estimates(study))


def blocks(made: Section, kind: type) -> list[Any]:
    return [block for block in made.blocks if isinstance(block, kind)]


def test_the_table_shows_what_was_recorded_of_the_wanted_names(run: Path) -> None:
    table = blocks(section(run), Table)[0]
    heads = [column.name.split()[0] for column in table.columns]
    known = {*NEW, "chunk_latency_ms_p50", "chunk_latency_ms_p95", "ttfc_s", "rtf", "fps"}
    assert heads == ["method", *names.pick(SHOWN, known)]
    assert {"chunk_latency_ms_p50", "min_buffer_s", "stall_ratio", "peak_mem_mb"} < set(heads)
    rows = {row[0].text: row for row in dict(table.groups)["4 steps"]}
    assert rows["MutualForcing"][heads.index("min_buffer_s")].text == "0.125"


def test_everything_recorded_is_somewhere_and_explained(run: Path) -> None:
    made = section(run)
    details = {block.summary: block.blocks for block in blocks(made, Details)}
    rest = [column.name.split()[0] for column in details["Stages, network calls, FLOPs"][0].columns]
    assert {"tflops_per_media_s", "nfe_per_chunk", *STAGES} < set(rest)
    assert "`_fft_r2c`" in details["Stages, network calls, FLOPs"][1].text
    wide = [column.name.split()[0] for column in details["The larger network"][0].columns]
    assert wide == ["method", "wide_rtf"]
    explained = " ".join(details["What the numbers are"][0].items)
    assert all(f"`{name}`:" in explained for name in (*NEW, *STAGES))


def test_a_disturbed_timing_is_named(run: Path, built: Built) -> None:
    warnings = [note.text for note in blocks(section(run), Note) if note.warning]
    assert len(warnings) == 2
    assert all(text.endswith(": SelfForcing@4.") for text in warnings)
    assert "more work than cores" in warnings[0]
    assert "less than 95%" in warnings[1]
    assert not [note for note in blocks(section(built.run), Note) if note.warning]


def test_timings_of_two_runs_are_told_apart(built: Built, tmp_path: Path) -> None:
    shutil.copytree(built.run / "records", tmp_path / "run" / "records")
    path = tmp_path / "run" / "records" / "SelfForcing@4-t0-s0.json"
    content = json.loads(path.read_text())
    content["metrics"]["rtf"]["n"] += 5
    path.write_text(json.dumps(content))
    (note,) = [note.text for note in blocks(section(tmp_path / "run"), Note) if note.warning]
    assert "runs apart" in note
    assert note.endswith(": SelfForcing@4.")


def test_bars_of_the_stages_are_as_long_as_their_sum(run: Path) -> None:
    study = load([run])
    estimates = Estimates(study)
    drawn = stages_figure(study, estimates, 4)
    assert drawn is not None
    ElementTree.fromstring(drawn)
    assert drawn == stages_figure(study, estimates, 4)
    assert drawn.count(">20<") >= 3  # 2 + 3 + 4 + 5 + 6, one per method
    for label, _ in STAGES.values():
        assert f">{label}<" in drawn
    figures = [item.name for block in blocks(section(run), Figures) for item in block.items]
    assert figures == ["pareto_kavd_lite", "stages_1", "stages_4", "stages_50"]


def test_the_front_says_how_sure_it_is(run: Path) -> None:
    made = section(run)
    table = next(b for b in blocks(made, Details) if b.summary == "How sure the front is").blocks[1]
    rows = {(row[0].text, row[1].text): row for row in table.groups[0][1]}
    assert rows["MutualForcing", "1"][2].text == "1.00"  # nothing is as fast
    assert rows["MutualForcing", "1"][3].text == "no"
    assert rows["TeacherForcing", "1"][2].text == "0.00"
    assert rows["TeacherForcing", "1"][3].text == "yes"
    shares = [float(row[2].text) for row in table.groups[0][1]]
    assert shares == sorted(shares, reverse=True)
    front = next(b.text for b in blocks(made, Text) if "Pareto front" in b.text)
    assert "MutualForcing at 1" in front


def test_old_records_still_make_a_report(built: Built, run: Path, tmp_path: Path) -> None:
    old = section(built.run)
    heads = [column.name.split()[0] for column in blocks(old, Table)[0].columns]
    assert heads == ["method", "ttfc_s", "chunk_latency_ms_p50", "chunk_latency_ms_p95", "rtf", "fps"]
    assert [note.text for note in blocks(old, Note)] == ["Not measured: the stages of a chunk."]
    assert not (built.out / "figures" / "stages_4.svg").exists()
    build([run], tmp_path / "out")
    assert (tmp_path / "out" / "figures" / "stages_4.svg").exists()
    assert "Timed on a machine that was not idle" in (tmp_path / "out" / "index.md").read_text()


def test_records_without_any_timing_get_notes(built: Built, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(built.run, folder)
    for path in (folder / "records").glob("*.json"):
        record = json.loads(path.read_text())
        kept = {k: v for k, v in record["metrics"].items() if v["kind"] == "quality"}
        path.write_text(json.dumps(record | {"metrics": kept}))
    made = section(folder)
    assert [type(block) for block in made.blocks] == [Note, Note]
    assert "Not measured" in made.blocks[0].text
