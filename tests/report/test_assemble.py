from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mfbench.files import LIST
from mfbench.report import assemble, build
from tests.report.conftest import Built
from tests.report.synthetic import Plan, write_run

SECTIONS = ("overview", "results", "differences", "steps", "latency", "sync", "drift", "cost", "gallery")
REBUILD = """
import sys
from pathlib import Path
from mfbench.report import build
build([Path(sys.argv[1])], Path(sys.argv[2]))
assert not {"torch", "mmengine"} & set(sys.modules), "the report must not import torch"
"""


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_another_process_gives_the_same_bytes_without_torch(built: Built, tmp_path: Path) -> None:
    moved = shutil.copytree(built.run, tmp_path / "elsewhere")
    subprocess.run(
        [sys.executable, "-c", REBUILD, str(moved), str(tmp_path / "out")],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "77"},
    )
    assert digests(tmp_path / "out") == digests(built.out)


class Balance(HTMLParser):
    """Checks that every element is closed in order, and collects what the page would fetch or run."""

    VOID = ("wbr", "meta", "img", "br", "path", "circle", "rect")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        assert tag not in ("script", "link", "iframe")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_one_well_formed_file_that_works_offline(built: Built) -> None:
    text = (built.out / "index.html").read_text(encoding="utf-8")
    page = Balance()
    page.feed(text)
    assert page.open == []
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert len(text.encode()) < 5_000_000
    for anchor in (*SECTIONS, "codecs", "failures", "provenance"):
        assert f'id="{anchor}"' in text
        assert f"#{anchor}" in page.links
    assert "@import" not in text
    assert "url(" not in text


def test_no_output_holds_an_absolute_path(built: Built) -> None:
    for path in built.out.rglob("*"):
        if path.is_file():
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
            assert str(built.run.parent) not in text
            assert not re.search(r"[\s\"'=](?:/home|/root|/tmp|/usr|/work)/", text), path.name


def test_the_page_says_what_happened(built: Built) -> None:
    text = (built.out / "index.html").read_text(encoding="utf-8")
    assert "python -m mfbench run experiments/steps_sweep.py --strict-code" in text
    assert "1 cell failed" in text
    assert "FloatingPointError: chunk 3 of clip 17 is not finite" in text
    assert "line 0<" not in text  # only the tail of the log
    assert "SelfForcing can be sampled at 1, 2, 4, 8, 16 steps only" in text
    assert "positive when audio leads" in text
    assert "null (mismatched pairs)" in text


def test_markdown_shows_the_figures_that_are_written(built: Built) -> None:
    text = (built.out / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\((figures/[^)]+)\)", text))
    written = {f"figures/{path.name}" for path in (built.out / "figures").iterdir()}
    assert linked == written
    assert "**MutualForcing**" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_media_are_embedded_and_playable(built: Built) -> None:
    text = (built.out / "index.html").read_text(encoding="utf-8")
    videos = re.findall(r'<video [^>]*src="data:video/mp4;base64,([^"]+)"', text)
    assert len(videos) >= 3 + 3 * 3
    assert base64.b64decode(videos[0])[4:8] == b"ftyp"


def test_a_full_page_stops_embedding(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = 700_000
    monkeypatch.setattr(assemble, "PAGE_BYTES", budget)
    page = build([built.run], tmp_path).read_text(encoding="utf-8")
    assert len(page.encode()) < budget + 2000
    assert "Real clips" in page or "do not fit" in page


def test_a_bare_run_gives_notes_instead_of_empty_figures(tmp_path: Path) -> None:
    plan = Plan(methods=("TeacherForcing",), steps=(4,), seeds=(0,), media=False, extras=False, failing=False)
    run = write_run(tmp_path / "run", plan)
    (run / "experiment.json").unlink()
    text = build([run], tmp_path / "out").read_text(encoding="utf-8")
    for note in ("no record holds a long rollout", "no record holds a codec floor", "no clips were kept"):
        assert note in text
    assert "All 3 cells were measured" in text
    assert "Not measured: no cell can be paired with a baseline" in text


def test_anchors_alone_and_old_figures(tmp_path: Path) -> None:
    run, out = write_run(tmp_path / "run", Plan(methods=(), media=False)), tmp_path / "out"
    (out / "figures").mkdir(parents=True)
    for name in ("gone.svg", "mine.svg"):
        (out / "figures" / name).write_text("<svg/>")
    (out / LIST).write_text(json.dumps({"page": ["figures/gone.svg"]}))
    build([run], out)
    assert not (out / "figures" / "gone.svg").exists()
    assert (out / "figures" / "mine.svg").read_text() == "<svg/>"
