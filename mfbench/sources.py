"""Source files as facts: where a module lives, what it imports, and a digest of all it is made of."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from mfbench.errors import UsageError


class SourceError(UsageError, ValueError):
    """Source that cannot be found, read or understood without importing it."""


def modules_below(package: str) -> list[str]:
    """A module and, where it is a package, every module in it."""
    path = module_path(package)
    if path.name != "__init__.py":
        return [package]
    below = sorted(child.relative_to(path.parent) for child in path.parent.rglob("*.py"))
    names = [".".join((package, *child.with_suffix("").parts)).removesuffix(".__init__") for child in below]
    return sorted(set(names))


def module_path(module: str) -> Path:
    """The source file of a module, found along `sys.path` without importing anything.

    Raises:
        SourceError: if there is none.
    """
    path = find_module(module)
    if path is None:
        raise SourceError(
            f"module {module!r} was not found on the Python path; check custom_imports/--import"
        )
    return path


@cache
def find_module(module: str) -> Path | None:
    """The source file of a module, or None."""
    parts = module.split(".")
    bases = [Path(__file__).parent.parent, *(Path(entry or ".") for entry in sys.path)]
    for base in bases:
        folder = base.joinpath(*parts)
        for candidate in (folder / "__init__.py", folder.with_suffix(".py")):
            if candidate.is_file():
                return candidate
    return None


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno} does not parse: {error.msg}") from error


def absolute_module(node: ast.ImportFrom, module: str) -> str:
    """The absolute name of the module that a `from ... import` names."""
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if module_path(module).name == "__init__.py":
        package = [*package, ""]
    return ".".join([*package[: -node.level], *([node.module] if node.module else [])])


@cache
def imports_of(module: str) -> tuple[tuple[str, int], ...]:
    """Every module that a module imports, anywhere in its body, with the line; relative names resolved."""
    found = []
    for node in ast.walk(parse(module_path(module))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute_module(node, module)
            found.append((source, node.lineno))
            children = [f"{source}.{alias.name}" for alias in node.names]
            found += [(child, node.lineno) for child in children if find_module(child) is not None]
    return tuple(found)


def closure(modules: list[str], roots: tuple[str, ...], outside: Callable[[str], bool]) -> list[str]:
    """These modules and all they import within the packages `roots`, except what is `outside`."""
    found: set[str] = set()
    pending = list(modules)
    while pending:
        module = pending.pop()
        if module in found or find_module(module) is None:
            continue
        found.add(module)
        pending += [
            name for name, _ in imports_of(module) if name.split(".")[0] in roots and not outside(name)
        ]
    return sorted(found)


def digest(modules: list[str]) -> str:
    """A digest of the source text of modules; 16 hexadecimal digits."""
    total = hashlib.sha256()
    for module in sorted(modules):
        total.update(module.encode() + b"\0" + _text_digest(module_path(module)))
    return total.hexdigest()[:16]


@cache
def _text_digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
