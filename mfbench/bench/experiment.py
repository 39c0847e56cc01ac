"""Load an experiment file: data only, every key and every name checked before anything runs.

The one file of `bench` that uses mmengine's `Config`, which drops functions and accepts typos silently; both
are errors here.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mfbench.bench.check import SECTIONS, Checker
from mfbench.bench.locate import Path_, SourceMap, forbidden
from mfbench.bench.settings import Experiment
from mfbench.errors import UsageError
from mfbench.options import unknown


def load(path: Path, overrides: list[str] | None = None, imports: list[str] | None = None) -> Experiment:
    """Read and check an experiment file; `overrides` are `a.b=value`, `imports` extra packages.

    Raises:
        UsageError: with file:line and the nearest correct name.
    """
    if not path.is_file():
        raise UsageError(f"there is no experiment file {path}")
    try:
        source = SourceMap(path)
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno} does not parse: {error.msg}") from error
    except ValueError as error:  # not UTF-8, or a null byte
        raise UsageError(f"{path} cannot be read as UTF-8 text ({error}); save it as that") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    for line, what in forbidden(source.tree):
        raise UsageError(f"{path}:{line} holds {what}; an experiment file is data only: write plain values")
    values = _read(path)
    for override in overrides or []:
        _apply(values, override, source)
    return Checker(source, values).experiment(path.stem, imports or [])


def _read(path: Path) -> dict[str, Any]:
    try:
        config = Config.fromfile(
            path, import_custom_modules=False, lazy_import=False, format_python_code=False
        )
    except Exception as error:
        raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    values: dict[str, Any] = config.to_dict()
    return values


def _apply(values: dict[str, Any], override: str, source: SourceMap) -> None:
    target, separator, text = override.partition("=")
    keys: Path_ = tuple(int(part) if part.isdecimal() else part for part in target.split("."))
    if not separator or not target:
        raise UsageError(f"--set {override}: write it as section.key=value")
    if len(keys) > 1 and keys[0] in SECTIONS:
        values.setdefault(str(keys[0]), {})
    place: Any = values
    for key in keys[:-1]:
        if key not in _entries(place):
            raise UsageError(
                f"--set {override}: {unknown(str(key), [str(name) for name in _entries(place)])}"
            )
        place = place[key]
    if not isinstance(place, dict) and keys[-1] not in _entries(place):
        raise UsageError(f"--set {override}: {'.'.join(map(str, keys[:-1]))} has no entry {keys[-1]}")
    place[keys[-1]] = _value(text)
    source.overridden[keys] = f"--set {override}"


def _entries(place: object) -> list[str | int]:
    if isinstance(place, dict):
        return list(place)
    return list(range(len(place))) if isinstance(place, list) else []


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
