"""The registries: names in experiment files to classes, with errors that help.

mmengine's `Registry` answers an unknown name with a bare KeyError and imports only the package it was
told about. This one imports every module below its location on first use, so that a new file is found
without touching an `__init__`, and suggests the nearest registered name together with where it lives.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from typing import Any, Protocol, TypeVar

from mmengine.registry import Registry as MMEngineRegistry

from mfbench import options
from mfbench.declarations import LOCATIONS
from mfbench.errors import PreflightError, UsageError

Class = TypeVar("Class", bound=type)


class Decorator(Protocol):
    """Returns the class it is given."""

    def __call__(self, registered: Class, /) -> Class:
        """Register and return it."""


class UnknownNameError(UsageError, LookupError):
    """A name that no imported module registered."""


class BrokenModuleError(PreflightError, ImportError):
    """A module of a searched package raised while being imported."""


def import_tree(package: str) -> None:
    """Import a module and, where it is a package, every module below it (registration is a side effect)."""
    root = _import(package)
    for found in pkgutil.walk_packages(getattr(root, "__path__", []), prefix=f"{package}."):
        if not found.name.endswith("__main__"):
            _import(found.name)


def _import(module: str) -> object:
    try:
        return importlib.import_module(module)
    except BrokenModuleError:
        raise
    except Exception as error:
        raise BrokenModuleError(
            f"importing {module} raised {type(error).__name__}: {error} (at {_raised_at(error)}); "
            "mend that module, or take it out of custom_imports"
        ) from error


def _raised_at(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"


class Registry(MMEngineRegistry):  # type: ignore[misc]  # mmengine is untyped
    """Names to classes; `build(dict(type=name, **options))` makes an instance."""

    _imported: bool
    _locations: list[str]

    def register_module(
        self, name: str | list[str] | None = None, *, force: bool = False, module: Class | None = None
    ) -> Decorator:
        """Class decorator: register under the class name, or under `name`."""
        registered: Decorator = super().register_module(name=name, force=force, module=module)
        return registered

    def import_from_location(self) -> None:
        """Import everything below the registry's own packages, once."""
        if self._imported:
            return
        self._imported = True
        for location in self._locations:
            import_tree(location)

    def get(self, key: str) -> Any:
        """The class registered as `key`.

        Raises:
            UnknownNameError: with the nearest names and their origin.
        """
        if key not in self._module_dict:
            self.import_from_location()
        if key not in self._module_dict:
            raise UnknownNameError(self._unknown(key))
        return self._module_dict[key]

    def build(self, cfg: dict[str, Any]) -> Any:
        """An instance of the class that `type` names, its options checked.

        Raises:
            UnknownNameError: for a name that nothing registered.
            OptionError: for an option that the class does not take.
        """
        owner = self.get(cfg["type"])
        given = {name: value for name, value in cfg.items() if name != "type"}
        if given:
            known = options.schema(owner)
            options.check(owner, {name: value for name, value in given.items() if name in known})
        return super().build(cfg)

    def __contains__(self, key: str) -> bool:
        self.import_from_location()
        return key in self._module_dict

    def names(self) -> list[str]:
        """Every registered name, sorted."""
        self.import_from_location()
        return sorted(self._module_dict)

    def origin(self, key: str) -> str:
        """`module.path:line` of a registered class, for messages."""
        registered = self._module_dict[key]
        try:
            line = inspect.getsourcelines(registered)[1]
        except (OSError, TypeError):  # defined in an interactive session
            return str(registered.__module__)
        return f"{registered.__module__}:{line}"

    def _unknown(self, key: str) -> str:
        near = difflib.get_close_matches(key, self._module_dict, n=3, cutoff=0.5)
        hint = ", ".join(f"{name} ({self.origin(name)})" for name in near)
        known = ", ".join(sorted(self._module_dict)) or "nothing: is its package in custom_imports?"
        return f"no {self.name} is called {key!r}; " + (
            f"did you mean {hint}?" if hint else f"registered are {known}"
        )


METHODS = Registry("method", scope="mfbench", locations=[LOCATIONS["methods"]])
WORLDS = Registry("world", scope="mfbench", locations=[LOCATIONS["worlds"]])
CODECS = Registry("codec", scope="mfbench", locations=[LOCATIONS["codecs"]])
METRICS = Registry("metric", scope="mfbench", locations=[LOCATIONS["metrics"]])
EXECUTORS = Registry("executor", scope="mfbench", locations=[LOCATIONS["executors"]])
