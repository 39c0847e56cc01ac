"""Where in an experiment file a value was written, so that an error can point at it."""

from __future__ import annotations

import ast
from pathlib import Path

Path_ = tuple[str | int, ...]
CALLED = ("dict", "list", "tuple", "range", "float", "int", "str")  # make values and do nothing


class SourceMap:
    """Key paths of an experiment file -> `file:line`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        self.overridden: dict[Path_, str] = {}

    def where(self, keys: Path_) -> str:
        """`file:line` of the deepest part of a key path that the file spells out, or its --set."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.overridden:
                return self.overridden[keys[:length]]
        return f"{self.path}:{self._line(keys)}"

    def _line(self, keys: Path_) -> int:
        node, line = self._top_level(keys[0]) if keys else (None, 1)
        for key in keys[1:]:
            found = _child(node, key)
            if found is None:
                break
            node, line = found
        return line

    def _top_level(self, name: str | int) -> tuple[ast.expr | None, int]:
        for statement in self.tree.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.Assign) and any(ast.unparse(target) == name for target in targets):
                return statement.value, statement.lineno
        return None, 1


def _child(node: ast.expr | None, key: str | int) -> tuple[ast.expr, int] | None:
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == key:
                return keyword.value, keyword.lineno if hasattr(keyword, "lineno") else node.lineno
    if isinstance(node, ast.Dict):
        for name, value in zip(node.keys, node.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                return value, name.lineno
    if isinstance(node, ast.List | ast.Tuple) and isinstance(key, int) and key < len(node.elts):
        return node.elts[key], node.elts[key].lineno
    return None


def forbidden(tree: ast.Module) -> list[tuple[int, str]]:
    """(line, what) of everything in an experiment file that is not data: it is read, never run."""
    reasons = {
        ast.FunctionDef: "a function",
        ast.AsyncFunctionDef: "a function",
        ast.Lambda: "a lambda",
        ast.ClassDef: "a class",
        ast.Import: "an import",
        ast.ImportFrom: "an import",
        ast.With: "a with block",
    }
    found = [(node.lineno, reasons[type(node)]) for node in ast.walk(tree) if type(node) in reasons]  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in CALLED):
            found.append((node.lineno, f"a call of {ast.unparse(node.func)}"))
    for statement in tree.body:
        docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not docstring and not isinstance(statement, ast.Assign | ast.AnnAssign):
            found.append((statement.lineno, f"a statement ({type(statement).__name__})"))
    return found
