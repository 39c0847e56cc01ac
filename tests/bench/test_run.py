"""The toy command line from outside: faults, resume, locks and interruptions."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from mfbench.bench import record
from tests.bench.processes import gone

RUN = ("run", "toy.py", "--no-report", "--executor", "in-process")
LOCAL = ("run", "toy.py", "--no-report")  # the default: one process per training


def records(folder: Path) -> dict[str, dict[str, object]]:
    return {item["cell"]: item for item in record.read_all(folder / "runs" / "toy" / "records")}


def outcome(folder: Path) -> dict[str, object]:
    """What must be identical between runs: quality metrics and artifact hashes."""
    return {
        cell: (
            item["status"],
            item["artifacts"],
            {name: metric for name, metric in item["metrics"].items() if metric["kind"] == "quality"},
        )
        for cell, item in records(folder).items()
    }


def test_a_run_makes_valid_records_once(write, toy, tmp_path):
    write()
    first = toy(*RUN)
    assert first.returncode == 0, first.stderr
    assert "wall time" in first.stdout
    assert "train " in first.stdout
    found = records(tmp_path)
    assert len(found) == 14
    cell = found["ToyChild@4-t0-s1"]
    assert cell["status"] == "ok"
    assert cell["metrics"]["train_calls"]["value"] == 30.0  # two ancestors and itself
    assert cell["metrics"]["peak_mb"]["value"] == 5.0  # a maximum, not a sum
    assert cell["metrics"]["latency_ms"]["kind"] == "timing"
    assert (tmp_path / "runs" / "toy" / cell["media"][0]["path"]).read_text() == "film"
    assert "generate/clip.mp4" not in cell["artifacts"]
    assert cell["provenance"]["off_design"] is True
    assert found["real"]["steps"] is None
    assert str(tmp_path) not in json.dumps(found)
    assert not list((tmp_path / "runs" / "toy" / "scratch").iterdir())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json")}
    second = toy(*RUN)
    assert second.returncode == 0
    assert "14 were done" in second.stdout
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json")}
    del before[tmp_path / "runs/toy/experiment.json"], after[tmp_path / "runs/toy/experiment.json"]
    assert before == after


@pytest.mark.parametrize(
    ("fault", "kind", "message", "command"),
    [
        ("raise", "ValueError", "toy.py says no", RUN),
        ("exit", "SystemExit", "7", RUN),
        ("kill", "ProcessDied", "SIGKILL", LOCAL),
    ],
)
def test_a_failing_method_leaves_the_others_alone(write, toy, tmp_path, fault, kind, message, command):
    write(('name="Guided", guidance=2.0', f'name="Broken", fault="{fault}"'))
    done = toy(*command)
    assert done.returncode == 1
    found = records(tmp_path)
    assert {name for name, item in found.items() if item["status"] == "failed"} == {
        f"Broken@{steps}-t0-s{seed}" for steps in (1, 4) for seed in (0, 1)
    }
    error = found["Broken@1-t0-s0"]["error"]
    assert error["stage"] == "train Broken-t0"
    assert error["type"] == kind
    assert message in error["message"]
    assert "/somewhere" not in json.dumps(error)
    assert str(tmp_path) not in json.dumps(error)
    assert len(found) == 14
    again = toy("plan", "toy.py")
    assert f"failed before: {kind}" in again.stdout


def test_a_failed_parent_fails_its_children_with_the_cause(write, toy, tmp_path):
    write(('dict(type="ToyMethod"),', 'dict(type="ToyMethod", fault="raise"),'))
    done = toy(*RUN)
    assert done.returncode == 1
    found = records(tmp_path)
    assert found["ToyChild@1-t0-s0"]["error"]["stage"] == "train ToyMethod-t0"
    assert found["Guided@1-t0-s0"]["status"] == "ok"
    assert found["real"]["status"] == "ok"


def test_fail_fast_stops_and_a_full_disk_stops(write, toy, tmp_path):
    write(('dict(type="ToyMethod"),', 'dict(type="ToyMethod", fault="raise"),'))
    assert toy(*RUN, "--fail-fast", "--jobs", 1).returncode == 1
    assert "Guided@1-t0-s0" not in records(tmp_path)
    write(('dict(type="ToyMethod"),', 'dict(type="ToyMethod", fault="full"),'))
    full = toy(*RUN)
    assert full.returncode == 1
    assert "is full" in full.stderr
    assert "Traceback" not in full.stderr
    write()
    assert toy(*RUN).returncode == 0  # the same folder continues once there is space


def test_in_process_and_local_executors_agree(write, toy, tmp_path):
    write()
    assert toy(*RUN).returncode == 0
    inside = outcome(tmp_path)
    assert toy(*LOCAL, "--out", "other").returncode == 0
    (tmp_path / "runs").rename(tmp_path / "first")
    (tmp_path / "other").rename(tmp_path / "runs")
    assert outcome(tmp_path) == inside


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_ends_like_an_undisturbed_run(write, toy, start, tmp_path, kills):
    write(("sample_seed=[0, 1]", "sample_seed=[0]"), ("[1, 4, 16]", "[4]"))
    assert toy(*RUN, "--out", "calm").returncode == 0
    (tmp_path / "calm").rename(tmp_path / "runs")
    wanted = outcome(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "calm")
    moments = random.Random(kills)
    for _ in range(kills):
        process = start(*LOCAL, pause_s=0.03)
        time.sleep(moments.uniform(0.3, 2.0))
        process.kill()
        process.communicate()
        assert gone(tmp_path), "orphans stay"
    last = toy(*LOCAL)
    assert last.returncode == 0, last.stderr
    assert outcome(tmp_path) == wanted
    assert not list((tmp_path / "runs").rglob(".tmp-*"))


def test_training_continues_from_its_checkpoint(write, toy, start, tmp_path):
    write(("toy_pretrain_steps=3", "toy_pretrain_steps=40"))
    process = start(*LOCAL, pause_s=0.1)
    checkpoints = tmp_path / "runs" / "toy" / "scratch"
    deadline = time.monotonic() + 20
    while not any(int(p.read_text()) > 5 for p in checkpoints.glob("*/checkpoint.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    kept = max(int(path.read_text()) for path in checkpoints.glob("*/checkpoint.json"))
    assert kept > 5
    resumed = toy(*LOCAL, "--stages", "pretrain", pause_s=0.02)
    assert resumed.returncode == 0
    events = "".join(path.read_text() for path in (tmp_path / "runs").rglob("events.jsonl"))
    counts = [json.loads(line)["done"] for line in events.splitlines() if '"total": 40' in line]
    assert min(counts) > kept


def test_ctrl_c_ends_children_and_says_how_to_go_on(write, start, tmp_path):
    write(("toy_steps=3", "toy_steps=400"))
    process = start(*LOCAL, pause_s=0.1)
    scratch = tmp_path / "runs" / "toy" / "scratch"
    deadline = time.monotonic() + 20
    while not list(scratch.glob("*/checkpoint.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command continues" in err
    assert "Traceback" not in err
    assert gone(tmp_path)


def test_two_runs_on_one_folder(write, toy, start, tmp_path):
    write(("toy_steps=3", "toy_steps=400"))
    first = start(*LOCAL, pause_s=0.05)
    lock = tmp_path / "runs" / "toy" / "jobs"
    deadline = time.monotonic() + 20
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second = toy(*LOCAL)
    assert second.returncode == 2
    assert "another run" in second.stderr
    assert first.poll() is None
    first.terminate()
    first.communicate(timeout=20)
    assert first.returncode == 130
    assert gone(tmp_path)


def test_corrupt_results_are_found(write, toy, tmp_path):
    write()
    assert toy(*RUN, "--stages", "train").returncode == 0
    victim = next((tmp_path / "runs" / "toy" / "stages" / "pretrain").glob("*/artifacts/data.txt"))
    victim.write_text("x" * len(victim.read_text()))
    assert toy(*RUN, "--only", "ToyMethod").returncode == 0  # nobody reads that training any more
    trained = next((tmp_path / "runs" / "toy" / "stages" / "train").glob("*/artifacts/data.txt"))
    trained.write_text(trained.read_text()[:10])  # truncated
    done = toy(*RUN)
    assert done.returncode == 4, done.stderr
    failed = [item for item in records(tmp_path).values() if item["status"] == "failed"]
    messages = [item["error"]["message"] for item in failed]
    assert messages
    assert all("remove that folder" in message for message in messages), messages


def test_a_damaged_record_is_named(write, toy, tmp_path):
    write()
    assert toy(*RUN, "--limit", 1).returncode == 0
    (tmp_path / "runs/toy/records/real.json").write_text("{")
    done = toy(*RUN, "--limit", 1)
    assert done.returncode == 4
    assert "records/real.json" in done.stderr


def test_broken_module_fails_preflight_and_nothing_runs(write, toy, tmp_path):
    (tmp_path / "broken_method.py").write_text("x = 1\nraise RuntimeError('half a method')\n")
    write()
    done = toy(*RUN, "--import", "broken_method")
    assert done.returncode == 3
    assert "broken_method" in done.stderr
    assert "half a method" in done.stderr
    assert "broken_method.py:2" in done.stderr
    assert not list((tmp_path / "runs").rglob("result.json"))


def test_unwritable_folder_and_missing_files(write, toy, tmp_path):
    write()
    (tmp_path / "file").write_text("")
    blocked = toy(*RUN, "--out", "file")
    assert blocked.returncode == 2
    assert "cannot write" in blocked.stderr
    assert toy("run", "nowhere.py").returncode == 2
    assert toy("report", "nowhere").returncode == 2
    assert toy(*RUN, "--only", "Nobody").returncode == 2
    assert toy(*RUN, "--stages", "trian").returncode == 2


def test_records_stand_in_for_results_that_are_gone(write, toy, tmp_path):
    write()
    assert toy(*RUN).returncode == 0
    (tmp_path / "runs" / "toy" / "records").rename(tmp_path / "committed")
    (tmp_path / "runs").rename(tmp_path / "gone")
    plan = json.loads(toy("plan", "toy.py", "--json", "--records", "committed").stdout)
    assert plan["stages"] == []
    wider = json.loads(
        toy(
            "plan", "toy.py", "--json", "--records", "committed", "--set", "axes.sample_seed=[0, 1, 2]"
        ).stdout
    )
    assert {row["stage"].split()[0] for row in wider["stages"]} >= {"train", "generate", "score"}
    assert all(row["done"] == 2 for row in wider["cells"] if row["steps"])


def test_limit_only_and_dry_run(write, toy, tmp_path):
    write()
    dry = toy(*RUN, "--dry-run")
    assert dry.returncode == 0
    assert not (tmp_path / "runs").exists()
    assert toy(*RUN, "--limit", 1).returncode == 0
    assert set(records(tmp_path)) == {"real", "null", "ToyMethod@1-t0-s0"}
    assert toy(*RUN, "--only", "ToyChild@4").returncode == 0
    assert len(records(tmp_path)) == 5


def test_plan_counts_the_stages_of_the_chosen_cells_only(write, toy, tmp_path):
    write()
    whole = json.loads(toy("plan", "toy.py", "--json").stdout)
    part = json.loads(toy("plan", "toy.py", "--json", "--only", "ToyMethod@1-t0-s0").stdout)
    assert whole["cached"] == part["cached"] == 0
    assert len(part["stages"]) < len(whole["stages"])
    toy(*RUN, "--only", "ToyMethod@1-t0-s0")
    again = json.loads(toy("plan", "toy.py", "--json", "--only", "ToyMethod@1-t0-s0").stdout)
    assert (again["stages"], again["cached"]) == ([], len(part["stages"]))


def test_records_of_removed_cells_are_set_aside(write, toy, tmp_path):
    write()
    assert toy(*RUN, "--limit", 3).returncode == 0
    write(("sample_seed=[0, 1]", "sample_seed=[0]"))
    done = toy(*RUN, "--limit", 1)
    assert done.returncode == 0
    assert (
        "records of cells that this experiment does not have are now in runs/toy/records/aside" in done.stdout
    )
    assert "ToyMethod@1-t0-s1" not in records(tmp_path)
    aside = tmp_path / "runs/toy/records/aside"
    assert [path.name for path in aside.iterdir()] == ["ToyMethod@1-t0-s1.json"]
    (tmp_path / "runs/toy/records/ToyMethod@1-t0-s1.json").write_text("another")
    assert toy(*RUN, "--limit", 1).returncode == 0
    assert (aside / "ToyMethod@1-t0-s1.2.json").read_text() == "another"  # the first is kept


def test_only_the_first_training_seed_is_timed_so_a_shard_of_another_needs_none_of_it(write, toy, tmp_path):
    write(("train_seed=[0]", "train_seed=[0, 1]"))
    assert toy(*RUN, "--only", "*-t1-*").returncode == 0
    second = records(tmp_path)
    assert second
    for item in second.values():
        assert "latency_ms" not in item["metrics"]
        assert "time" not in item["stages"]
    (tmp_path / "runs" / "toy" / "records").rename(tmp_path / "committed")
    (tmp_path / "runs").rename(tmp_path / "gone")
    assert toy(*RUN, "--records", "committed").returncode == 0
    first = records(tmp_path)
    assert {cell.replace("-t1-", "-t0-") for cell in second} == set(first) - {"real", "null"}
    swept = [item for cell, item in first.items() if cell not in ("real", "null")]
    assert all("latency_ms" in item["metrics"] for item in swept)
    assert "26 were done, 0 failed" in toy(*RUN, "--records", "committed").stdout


def test_finished_stages_of_another_run_are_reused(write, toy, tmp_path):
    write()
    write(name="again.py")
    assert toy(*RUN).returncode == 0
    again = ("run", "again.py", "--no-report", "--executor", "in-process")
    done = toy(*again, "--reuse", "runs/toy")
    assert done.returncode == 0, done.stderr
    assert "train " not in done.stdout
    for item in record.read_all(tmp_path / "runs" / "again" / "records"):
        assert item["artifacts"] == records(tmp_path)[item["cell"]]["artifacts"]
        assert item["experiment"] == "again"
    missing = toy(*again, "--reuse", "runs/nothing")
    assert missing.returncode == 2
    assert "runs/nothing" in missing.stderr
