from __future__ import annotations

import sys

import pytest

from mfbench.registry import BrokenModuleError, Registry, UnknownNameError, import_tree


@pytest.fixture
def registry():
    made = Registry("thing", scope="tests", locations=[])

    @made.register_module()
    class Useful:
        def __init__(self, size: int = 1) -> None:
            self.size = size

    @made.register_module("other-name")
    class Renamed:
        pass

    return made


def test_builds_by_name(registry):
    assert registry.build({"type": "Useful", "size": 3}).size == 3
    assert registry.names() == ["Useful", "other-name"]
    assert "Useful" in registry
    assert "Useless" not in registry


def test_unknown_names_get_a_suggestion_with_its_origin(registry):
    origin = r"Useful \(tests\.test_registry:\d+\)"
    with pytest.raises(UnknownNameError, match=f"no thing is called 'Usefull'.*{origin}"):
        registry.get("Usefull")
    with pytest.raises(UnknownNameError, match="registered are Useful, other-name"):
        registry.build({"type": "zzz"})


def test_a_name_is_registered_once(registry):
    with pytest.raises(KeyError, match="already registered"):

        @registry.register_module()
        class Useful:
            pass


def test_unknown_options_are_errors(registry):
    with pytest.raises(TypeError, match="sise"):
        registry.build({"type": "Useful", "sise": 3})


def test_the_location_is_searched_to_its_leaves(tmp_path, monkeypatch):
    folder = tmp_path / "searched" / "inner"
    folder.mkdir(parents=True)
    (tmp_path / "searched" / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "leaf.py").write_text(
        "import test_registry\n@test_registry.LATE.register_module()\nclass Leaf: pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "test_registry", sys.modules[__name__])
    assert LATE.get("Leaf").__name__ == "Leaf"


LATE = Registry("late", scope="tests", locations=["searched"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\nraise RuntimeError('half')", ["RuntimeError: half", "faulty.py:2"]),
        ("def f(:", ["SyntaxError", "faulty.py:1"]),
        ("import nothing_of_this_name", ["nothing_of_this_name", "faulty.py:1"]),
    ],
)
def test_a_broken_module_is_named_with_the_line(tmp_path, monkeypatch, text, words):
    (tmp_path / "faulty.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "faulty", raising=False)
    with pytest.raises(BrokenModuleError) as caught:
        import_tree("faulty")
    for word in [*words, "importing faulty", "custom_imports"]:
        assert word in str(caught.value)
