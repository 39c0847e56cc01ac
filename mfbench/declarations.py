"""What registered classes declare, read from their source without importing it.

`plan` and `list` must answer in about a second, and importing one method imports torch. Every fact they
need is a literal class constant or a signature, so `ast` can read it: inherited ones too, as long as the
base class is imported by name.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfbench.sources import absolute_module, find_module, module_path, modules_below, parse

LOCATIONS = {
    "methods": "mfbench.methods",
    "worlds": "mfbench.data",
    "codecs": "mfbench.codecs",
    "metrics": "mfbench.metrics",
    "executors": "mfbench.bench.executors",
}
KINDS = {name.upper(): name for name in LOCATIONS}  # registry constant -> kind


@dataclass(frozen=True)
class Option:
    """One parameter of `__init__` that has a default, and is therefore an option of experiment files.

    `default` is None where the default is not a literal; `source` is its source text.
    """

    default: Any
    source: str


@dataclass(frozen=True)
class Declaration:
    """A registered class as its source declares it.

    Attributes:
        constants: literal class constants, inherited ones included.
        options: parameters with a default; those without one are supplied by mfbench, not by experiments.
    """

    kind: str
    name: str
    module: str
    file: Path
    line: int
    summary: str
    constants: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Option] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """`module:line`, the same on every machine."""
        return f"{self.module}:{self.line}"

    def constant(self, name: str, default: Any) -> Any:
        """A class constant, or the default of its contract where the class is silent."""
        return self.constants.get(name, default)


def declared(packages: list[str]) -> list[Declaration]:
    """Every registered class in these modules and below them, in the order of module and line."""
    found = [item for package in packages for module in modules_below(package) for item in _in_module(module)]
    unique = {(item.kind, item.name, item.module): item for item in found}
    return sorted(unique.values(), key=lambda item: (item.kind, item.module, item.line))


def by_name(kind: str, packages: list[str]) -> dict[str, Declaration]:
    """The registered classes of one kind, by registered name."""
    return {item.name: item for item in declared(packages) if item.kind == kind}


def module_constant(module: str, name: str, default: Any) -> Any:
    """A literal bound to `name` at the top level of a module, there or where it imports the name from."""
    for statement in parse(module_path(module)).body:
        for target, value in _assignments(statement):
            if target == name:
                return _literal(value, module)
        for source, original in _imported(statement, name, module):
            return module_constant(source, original, default)
    return default


def _imported(statement: ast.stmt, name: str, module: str) -> list[tuple[str, str]]:
    """(module, original name) where a statement is `from module import original as name`."""
    if not isinstance(statement, ast.ImportFrom):
        return []
    source = absolute_module(statement, module)
    originals = [alias.name for alias in statement.names if (alias.asname or alias.name) == name]
    return [(source, original) for original in originals if find_module(source) is not None]


def _in_module(module: str) -> list[Declaration]:
    path = module_path(module)
    found = []
    for node in parse(path).body:
        if isinstance(node, ast.ClassDef):
            for kind, name in _registrations(node):
                constants, options = _members(node, module)
                summary = (ast.get_docstring(node) or "").split("\n")[0]
                found.append(Declaration(kind, name, module, path, node.lineno, summary, constants, options))
    return found


def _registrations(node: ast.ClassDef) -> list[tuple[str, str]]:
    names = []
    for decorator in node.decorator_list:
        if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
            continue
        owner = decorator.func.value
        registry = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if decorator.func.attr != "register_module" or registry not in KINDS:
            continue
        given = [*decorator.args, *(word.value for word in decorator.keywords if word.arg == "name")]
        name = ast.literal_eval(given[0]) if given else node.name
        names.append((KINDS[registry], str(name)))
    return names


def _members(node: ast.ClassDef, module: str) -> tuple[dict[str, Any], dict[str, Option]]:
    """Constants and options of a class, those of its bases first and overridden by its own."""
    constants: dict[str, Any] = {}
    options: dict[str, Option] = {}
    for base in node.bases:
        found = _resolve(base.id, module) if isinstance(base, ast.Name) else None
        if found is not None:
            inherited = _members(*found)
            constants |= inherited[0]
            options |= inherited[1]
    fields: dict[str, Option] = {}
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            options = _signature(statement, module)
        for target, value in _assignments(statement):
            constants[target] = _literal(value, module)
            if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
                fields[target] = _option(value, module)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        options |= fields
    return {name: value for name, value in constants.items() if value is not _UNREADABLE}, options


def _signature(function: ast.FunctionDef, module: str) -> dict[str, Option]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [
        *zip(positional, defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    options = {}
    for argument, default in pairs:
        if default is not None:
            options[argument.arg] = _option(default, module)
    return options


def _option(default: ast.expr, module: str) -> Option:
    value = _literal(default, module)
    return Option(None if value is _UNREADABLE else value, ast.unparse(default))


def _assignments(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        return [(target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return [(statement.target.id, statement.value)]
    return []


_UNREADABLE = object()


def _literal(node: ast.expr, module: str) -> Any:
    """The value of a literal, or of a name bound to one in the same module."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        if isinstance(node, ast.Name):
            return module_constant(module, node.id, _UNREADABLE)
        return _UNREADABLE


def _resolve(name: str, module: str) -> tuple[ast.ClassDef, str] | None:
    """The class that `name` means in a module, following one import at a time."""
    for node in parse(module_path(module)).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, module
        for source, original in _imported(node, name, module):
            return _resolve(original, source)
    return None
