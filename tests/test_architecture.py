"""The rules of the house, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfbench.sources import imports_of, module_path, modules_below, parse

ROOT = Path(__file__).parent.parent
LEVELS = {
    "types": 0,
    "clip_spec": 0,
    "mel": 0,
    "files": 0,
    "options": 0,
    "registry": 0,
    "declarations": 0,
    "sources": 0,
    "provenance": 0,
    "processes": 0,
    "errors": 0,
    "tracker": 0,
    "tracker_process": 0,
    "character": 0,
    "data": 1,
    "codecs": 1,
    "flows": 1,
    "models": 1,
    "metrics": 1,
    "methods": 2,
    "training": 3,
    "bench": 4,
    "report": 5,
    "cli": 6,
    "__main__": 6,
}
MMENGINE = ("mfbench.registry", "mfbench.training", "mfbench.bench.experiment")
MODULES = [*modules_below("mfbench"), *modules_below("baselines")]
LONGEST_MODULE, LONGEST_FUNCTION = 300, 60


def package(module: str) -> str:
    """The part of mfbench that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(module: str) -> Iterator[tuple[str, str]]:
    """(imported module, place) of every import of a module, wherever it stands."""
    for name, line in imports_of(module):
        yield name, f"{module_path(module).relative_to(ROOT)}:{line} imports {name}"


def within(name: str, *packages: str) -> bool:
    return any(name == item or name.startswith(f"{item}.") for item in packages)


def test_every_part_has_a_level():
    parts = {package(module) for module in MODULES if within(module, "mfbench")} - {""}
    assert parts == set(LEVELS) & parts, f"without a level: {sorted(parts - set(LEVELS))}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module):
    own = package(module)
    level = 2 if within(module, "baselines") else LEVELS.get(own, 0)
    wrong = []
    for name, place in imports(module):
        if not within(name, "mfbench") or package(name) in ("", own):
            continue
        other = LEVELS[package(name)]
        upwards = other > level or (other == level == 1)
        if upwards and not (own == "report" and name == "mfbench.bench.record"):
            wrong.append(place)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", MODULES)
def test_heavy_and_foreign_imports_stay_where_they_belong(module):
    wrong = []
    for name, place in imports(module):
        if within(name, "mmengine") and not within(module, *MMENGINE):
            wrong.append(place)
        if within(module, "mfbench") and within(name, "baselines"):
            wrong.append(place)
        allowed = name in ("mfbench.bench", "mfbench.bench.record")
        if within(module, "mfbench.report") and within(name, "torch", "mfbench.bench") and not allowed:
            wrong.append(place)
        if within(module, "mfbench.character") and within(name, "torch"):
            wrong.append(place)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_functions_are_short(module):
    path = module_path(module)
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_MODULE, f"{path.relative_to(ROOT)} has {lines} lines"
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            assert length <= LONGEST_FUNCTION, f"{place} {node.name} has {length} lines"


@pytest.mark.parametrize("module", [m for m in MODULES if within(m, "baselines", "mfbench.methods")])
def test_methods_take_explicit_arguments(module):
    for node in ast.walk(parse(module_path(module))):
        if isinstance(node, ast.FunctionDef):
            place = f"{module_path(module).relative_to(ROOT)}:{node.lineno} {node.name}"
            assert node.args.kwarg is None, f"{place} takes **{node.args.kwarg.arg}"
            assert not any(item.arg == "cfg" for item in node.args.args), f"{place} takes a cfg object"


@pytest.mark.parametrize("module", [m for m in MODULES if within(m, "mfbench.bench.record")])
def test_records_need_only_the_standard_library(module):
    assert not [place for name, place in imports(module) if within(name, "mfbench", "numpy", "torch")]


def test_the_walk_sees_relative_and_late_imports(tmp_path, monkeypatch):
    folder = tmp_path / "walked"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "deep.py").write_text(
        "from . import other\ndef f():\n    from .other import x\n    import json.tool\n"
    )
    (folder / "other.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = imports_of("walked.deep")
    assert ("walked.other", 1) in found
    assert ("walked.other", 3) in found
    assert ("json.tool", 4) in found
