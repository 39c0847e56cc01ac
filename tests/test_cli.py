from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mfbench import cli
from mfbench.cli.output import table
from mfbench.files import LIST

ROOT = Path(__file__).parent.parent


def mfbench(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mfbench", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60
    )


def imported(*arguments: str) -> set[str]:
    """Modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mfbench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time" in line}


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("list",)])
def test_light_commands_import_nothing_heavy(arguments):
    assert not {"torch", "numpy", "mmengine", "matplotlib", "pandas"} & imported(*arguments)


def test_help_is_fast_and_hides_machinery():
    best = 9.0
    for _ in range(5):
        began = time.perf_counter()
        done = mfbench("--help")
        best = min(best, time.perf_counter() - began)
    assert best < 0.3
    assert "exit codes" in done.stdout
    assert "run an experiment" in done.stdout.lower()
    assert "hidden" not in done.stdout
    assert "\n    stage" not in done.stdout


def test_every_verb_has_help_and_a_description():
    for module in cli._verbs():
        assert module.__doc__
        assert callable(module.configure)
        assert callable(module.execute)


def test_list_gives_name_origin_and_summary():
    items = json.loads(mfbench("list", "methods", "--json").stdout)
    mutual = next(item for item in items if item["name"] == "MutualForcing")
    assert mutual["origin"].startswith("mfbench.methods.mutual_forcing:")
    assert mutual["summary"]
    assert {item["kind"] for item in items} == {"methods"}
    assert {"local", "in-process"} <= {item["name"] for item in json.loads(mfbench("list", "--json").stdout)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "missing.py"), "no experiment file missing.py"),
        (("plan", "missing.py"), "no experiment file missing.py"),
        (("report", "missing"), "no records in missing"),
        (("list", "--import", "no_such_module"), "no_such_module"),
        (("run",), "EXPERIMENT.py"),
        (("data", "preview", "--out", "/proc/nowhere"), "cannot be written"),
        (("fly",), "fly"),
        (("run", "x.py", "--limit", "many"), "--limit"),
    ],
)
def test_wrong_usage_is_one_clean_message_and_exit_code_2(arguments, words):
    done = mfbench(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_data_preview_writes_clips_and_pictures(tmp_path):
    done = mfbench("data", "preview", "--out", str(tmp_path / "p"), "--seconds", "1", "--size", "32")
    assert done.returncode == 0, done.stderr
    names = {path.suffix for path in (tmp_path / "p").iterdir() if path.name != LIST}
    assert names == {".mp4", ".png"}
    assert len(list((tmp_path / "p").glob("*.mp4"))) == 6


def test_main_refuses_pickles_before_anything_else():
    code = (
        "import os, sys; from mfbench import __main__; sys.argv = ['mfbench', 'list']; __main__.main();"
        "sys.exit(os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] != '1')"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0


def test_table_aligns_text_left_and_numbers_right():
    text = table(("name", "n"), [("a", 5), ("long", 12)])
    assert text.splitlines() == ["name   n", "----  --", "a      5", "long  12"]
