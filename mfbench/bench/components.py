"""Versions, effective options and source digests of what stages are made of, without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from mfbench.declarations import Declaration, module_constant
from mfbench.errors import UsageError
from mfbench.sources import closure, digest, find_module

# In every training's id, beside its own budget_key; flexible-length methods see min_chunks or more.
BUDGET_SHARED: dict[str, int | float] = {"batch_size": 32, "min_chunks": 4}

# What a training may be paid in where the budget does not name its optimiser steps; its own teachers and
# initialisations count, the checkpoints that all methods start from (`Method.common`) do not.
CURRENCIES = ("steps", "evaluations", "flops")

# Machinery that moves results about but does not make them; its source is in no digest.
_MACHINERY = ("bench", "cli", "report", "registry", "declarations", "sources", "provenance", "errors")
_BODIES = "mfbench.bench.bodies"


@dataclass(frozen=True)
class Code:
    """The source behind stages.

    Attributes:
        bodies: kind -> module with `VERSION` and `run`.
        imports: the experiment's custom imports, whose packages count as source too.
    """

    bodies: dict[str, str]
    imports: tuple[str, ...]

    def version(self, kind: str) -> int:
        """`VERSION` of the body of a kind."""
        module = self.bodies[kind]
        return int(module_constant(module, "VERSION", 1)) if find_module(module) is not None else 0

    def digest(self, kind: str, modules: tuple[str, ...]) -> str:
        """Digest of the body of a kind, of the given modules, and of all that they import."""
        roots = ("mfbench", *(name.split(".")[0] for name in (*self.imports, self.bodies[kind])))
        return _digest((self.bodies[kind], *modules), roots)


def version(item: Declaration) -> int:
    """The version that a class declares."""
    number = item.constant("version", 1)
    if isinstance(number, bool) or not isinstance(number, int):
        raise UsageError(f"{item.origin}: version of {item.name} must be a whole number, got {number!r}")
    return number


def options(item: Declaration, given: dict[str, Any]) -> dict[str, Any]:
    """Given options over the declared defaults, so that spelling out a default changes no id."""
    defaults = {
        name: option.default if option.default is not None else option.source
        for name, option in item.options.items()
    }
    chosen = {**defaults, **{name: value for name, value in given.items() if name in item.options}}
    return {name: _lists(value) for name, value in chosen.items()}


@cache
def _digest(modules: tuple[str, ...], roots: tuple[str, ...]) -> str:
    return digest(closure(list(modules), roots, _is_machinery))


def _is_machinery(module: str) -> bool:
    package, _, rest = module.partition(".")
    return package == "mfbench" and rest.split(".")[0] in ("", *_MACHINERY) and not module.startswith(_BODIES)


def _lists(value: Any) -> Any:
    """Tuples as lists, the way JSON reads them back."""
    if isinstance(value, dict):
        return {name: _lists(item) for name, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value
