from __future__ import annotations

import sys

import pytest

from mfbench.declarations import by_name, declared, module_constant
from mfbench.sources import SourceError, closure, digest, find_module, modules_below, parse

PACKAGE = {
    "__init__.py": "NUMBER = 7\n",
    "base.py": '''
from . import NUMBER
class Base:
    """A base."""
    version = 3
    steps: tuple[int, ...] = (1, 2)
    def __init__(self, networks, *, rate: float = 0.5, sizes=(1, 2), late=object()): ...
''',
    "inner/__init__.py": "",
    "inner/method.py": '''
import explode_when_imported
from ..base import Base
from .. import NUMBER as SEVEN
from mfbench.registry import METHODS
import mfbench.registry as registry
@METHODS.register_module()
class Child(Base):
    """A child.

    More words.
    """
    steps = (4,)
    seven = SEVEN
@registry.METRICS.register_module("short")
class WithOwnInit(Base):
    """Another kind."""
    def __init__(self, *, only: str = "this"): ...
class NotRegistered(Base): ...
@METHODS.register_module(name="data")
@dataclass
class Data:
    a: int
    b: int = 2
''',
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in PACKAGE.items():
        path = tmp_path / "declaring" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    find_module.cache_clear()
    yield "declaring"
    find_module.cache_clear()
    parse.cache_clear()


def test_reads_names_constants_and_options_without_importing(package):
    found = by_name("methods", [package])
    assert set(found) == {"Child", "data"}
    child = found["Child"]
    assert child.summary == "A child."
    assert child.origin == "declaring.inner.method:8"
    assert child.constants == {"version": 3, "steps": (4,), "seven": 7}
    assert {name: option.default for name, option in child.options.items()} == {
        "rate": 0.5,
        "sizes": (1, 2),
        "late": None,
    }
    assert child.options["late"].source == "object()"
    assert {name: option.default for name, option in found["data"].options.items()} == {"b": 2}
    assert "declaring.inner.method" not in sys.modules
    assert child.constant("streaming", default=True) is True


def test_another_registry_and_name(package):
    metric = by_name("metrics", [package])["short"]
    assert metric.constants["version"] == 3
    assert list(metric.options) == ["only"]
    assert len(declared([package, package])) == 3


def test_modules_and_constants(package):
    assert modules_below(package) == [
        "declaring",
        "declaring.base",
        "declaring.inner",
        "declaring.inner.method",
    ]
    assert module_constant("declaring.base", "NUMBER", None) == 7
    assert module_constant("declaring.base", "MISSING", 1) == 1
    with pytest.raises(SourceError, match=r"declaring_not.*custom_imports"):
        declared(["declaring_not"])


def test_digest_follows_what_is_imported(package, tmp_path):
    reached = closure(["declaring.inner.method"], ("declaring",), lambda _: False)
    assert "declaring.base" in reached
    assert "mfbench.registry" not in reached
    before = digest(["declaring.base"])
    assert digest(["declaring.base"]) == before
    assert digest(["declaring.base", "declaring"]) != before


def test_every_method_states_what_a_plan_needs():
    methods = by_name("methods", ["mfbench.methods", "baselines"])
    assert "MutualForcing" in methods
    for name, item in methods.items():
        assert isinstance(item.constant("version", None), int), name
        assert item.constant("budget_key", ""), f"{item.origin}: {name} needs a budget_key"
        assert item.constant("stage", "train") in ("pretrain", "train"), name
        assert set(item.constant("parents", ())) <= set(methods), name
        assert set(item.constant("sampling_options", ())) <= set(item.options), name
        assert set(item.constant("on_design", ())) <= set(item.constant("steps", ())), name
        assert item.summary, name
