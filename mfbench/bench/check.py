"""Check a loaded experiment: every key, name and value, with the place and the nearest correct name.

One error lists all that is wrong with a file, in three rounds: its shape, each value by itself, and what only
makes sense together (`together`).
"""

from __future__ import annotations

import importlib
import json
import re
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mfbench import registry
from mfbench.bench import together
from mfbench.bench.components import CURRENCIES
from mfbench.bench.locate import Path_, SourceMap
from mfbench.bench.settings import (
    BUDGET,
    Axes,
    Catalog,
    Experiment,
    MethodEntry,
    Record,
    Report,
    Suite,
    Sweep,
)
from mfbench.declarations import LOCATIONS, Declaration, by_name
from mfbench.errors import UsageError
from mfbench.models.av_transformer import SIZES, TransformerSpec
from mfbench.options import Count, Fault, faults, shown, told, tuples, unknown
from mfbench.sources import find_module

SECTIONS = ("custom_imports", "world", "model", "budget", "methods", "axes", "suite", "report")
REQUIRED = ("world", "budget", "methods", "axes", "suite")
ENTRY_KEYS = ("name", "budget", "steps")  # what an entry of `methods` may hold beside the method's options
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}")  # a file name on every system

Section = TypeVar("Section", bound=Record)


class Checker:
    """Checks one loaded file; every error names the place."""

    def __init__(self, source: SourceMap, values: dict[str, Any]) -> None:
        self.source = source
        self.values = values
        self.faults: list[str] = []

    def experiment(self, name: str, imports: list[str]) -> Experiment:
        """The whole file, checked.

        Raises:
            UsageError: with every fault that was found, a line each.
        """
        self.shape()
        packages = tuple(dict.fromkeys([*self.imports(), *imports]))
        self.end()
        catalog = _catalog(packages)
        experiment = Experiment(
            name=name,
            path=self.source.path,
            custom_imports=packages,
            world=self.entry(("world",), self.values["world"], catalog.worlds, ()),
            model=self.model(("model",), self.values.get("model", {})),
            budget=self.budget(("budget",), self.values["budget"], catalog),
            methods=self.methods(catalog),
            axes=self.section("axes", Axes),
            suite=self.suite(catalog),
            report=self.section("report", Report),
            catalog=catalog,
        )
        self.end()
        self.add((), together.faults(experiment))
        self.end()
        return experiment

    def fault(self, keys: Path_, message: str) -> None:
        """Note the place, the key and what is wrong."""
        where = self.source.where(keys)
        self.faults.append(f"{where}: {'.'.join(map(str, keys)) or 'experiment'}: {message}")

    def add(self, keys: Path_, found: list[Fault]) -> None:
        """Note faults below a key."""
        for fault in found:
            self.fault((*keys, *fault.keys), fault.message)

    def end(self) -> None:
        """End with what was noted, if anything was."""
        if self.faults:
            raise UsageError("\n".join(dict.fromkeys(self.faults)))

    def shape(self) -> None:
        """Known sections, all that are required, of the right kind, and JSON throughout."""
        self.known((), self.values, SECTIONS)
        for section in REQUIRED:
            if section not in self.values:
                self.fault((), f"the section {section!r} is missing")
        self.json_only((), self.values)
        for name, value in self.values.items():
            if name not in ("custom_imports", "methods") and not isinstance(value, dict):
                self.fault((name,), f"wanted dict(...), got {shown(value)}")

    def imports(self) -> list[str]:
        """`custom_imports` as a list of packages or in mmengine's dict(imports=[...]) form."""
        value = self.values.get("custom_imports", [])
        if isinstance(value, dict):
            self.known(("custom_imports",), value, ("imports", "allow_failed_imports"))
            if value.get("allow_failed_imports", False) is not False:
                self.fault(("custom_imports", "allow_failed_imports"), "wanted False: no import may fail")
            value = value.get("imports", [])
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            self.fault(("custom_imports",), f"wanted a list of module names, got {shown(value)}")
            return []
        return list(value)

    def known(self, keys: Path_, values: dict[str, Any], known: tuple[str, ...]) -> None:
        """Note every name that is not a known one."""
        for name in values:
            if name not in known:
                self.fault((*keys, name), unknown(str(name), known))

    def json_only(self, keys: Path_, value: object) -> None:
        """Note every value that JSON cannot hold."""
        if isinstance(value, dict):
            for name, item in value.items():
                if isinstance(name, str):
                    self.json_only((*keys, name), item)
                else:
                    self.fault(keys, f"keys must be strings, got {name!r}")
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self.json_only((*keys, index), item)
        else:
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                self.fault(keys, f"only JSON values can be written in an experiment, got {value!r}")

    def section(self, name: str, kind: type[Section]) -> Section:
        """A section as its record."""
        return self.record((name,), self.values.get(name, {}), kind)

    def record(self, keys: Path_, values: object, kind: type[Section]) -> Section:
        """Values as a record; what is wrong with them is noted."""
        self.names(keys, values, kind)
        try:
            return kind.model_validate(tuples(values))
        except ValidationError as error:
            self.add(keys, told(error))
            return kind.model_construct()

    def names(self, keys: Path_, values: object, kind: type[Record]) -> None:
        """Note every name that a record, or one in it, does not know."""
        if isinstance(values, dict):
            self.known(keys, values, tuple(kind.model_fields))
            for name, field in kind.model_fields.items():
                inner = field.annotation
                if isinstance(inner, type) and issubclass(inner, Record):
                    self.names((*keys, name), values.get(name), inner)

    def value(self, keys: Path_, value: object, kind: Any) -> Any:
        """A value of a type, noted where it is none."""
        try:
            return TypeAdapter(kind).validate_python(tuples(value), strict=True)
        except ValidationError as error:
            self.add(keys, told(error))
            return None

    def entry(
        self, keys: Path_, values: dict[str, Any], catalog: dict[str, Declaration], extra: tuple[str, ...]
    ) -> dict[str, Any]:
        """A dict(type=registered name, **its options)."""
        name = values.get("type")
        if not isinstance(name, str) or name not in catalog:
            self.fault((*keys, "type"), unknown(str(name), list(catalog)))
            return values
        options = {key: value for key, value in values.items() if key not in ("type", *extra)}
        self.add(keys, faults(_registered(catalog[name]), options))
        return values

    def model(self, keys: Path_, given: object) -> dict[str, Any]:
        """Sizes of the network; what else its spec holds follows from the world."""
        if not isinstance(given, dict):
            self.fault(keys, f"wanted dict(...), got {shown(given)}")
            return {}
        self.known(keys, given, SIZES)
        self.add(keys, faults(TransformerSpec, {n: v for n, v in given.items() if n in SIZES}))
        return given

    def budget(self, keys: Path_, given: object, catalog: Catalog) -> dict[str, int | float]:
        """Batch size, and optimiser steps by key or one amount of a currency for the keys left out."""
        if not isinstance(given, dict):
            self.fault(keys, f"wanted dict(...), got {shown(given)}")
            return {}
        own = {str(item.constant("budget_key", "")) for item in catalog.methods.values()} - {""}
        self.known(keys, given, (*BUDGET, *sorted(own)))
        for name, value in given.items():
            if name in BUDGET or name in own:
                self.value((*keys, name), value, BUDGET.get(name, Count))
        paid = [name for name in CURRENCIES if name in given]
        if len(paid) > 1:
            self.fault(keys, f"one currency at a time, got {' and '.join(paid)}")
        return given

    def methods(self, catalog: Catalog) -> tuple[MethodEntry, ...]:
        """The compared methods, each under a name of its own."""
        values = self.values["methods"]
        if not isinstance(values, list | tuple) or not values:
            self.fault(("methods",), f"wanted a list of dict(type=...), got {shown(values)}")
            return ()
        entries = [self.method(("methods", index), value, catalog) for index, value in enumerate(values)]
        taken = dict.fromkeys(("real", "null"), "")
        for index, entry in enumerate(entries):
            if entry.name.lower() in taken:
                self.fault(
                    ("methods", index), f"the name {entry.name!r} is taken; give it another name='...'"
                )
            elif entry.name in catalog.methods and entry.name != entry.type:
                text = f"the name {entry.name!r} is another method's; give this {entry.type} one of its own"
                self.fault(("methods", index, "name"), text)
            taken[entry.name.lower()] = entry.name
        return tuple(entries)

    def method(self, keys: Path_, value: object, catalog: Catalog) -> MethodEntry:
        """One entry of `methods`."""
        if not isinstance(value, dict):
            self.fault(keys, f"wanted dict(type=...), got {shown(value)}")
            return MethodEntry("", ".".join(map(str, keys)), {})
        checked = self.entry(keys, value, catalog.methods, ENTRY_KEYS)
        name = checked.get("name", checked.get("type"))
        if not isinstance(name, str) or not NAME.fullmatch(name):
            self.fault((*keys, "name"), f"a name is 1 to 60 letters, digits and _.+-, got {shown(name)}")
        options = {key: item for key, item in checked.items() if key not in ("type", *ENTRY_KEYS)}
        budget = self.budget((*keys, "budget"), checked.get("budget", {}), catalog)
        steps = self.value((*keys, "steps"), checked["steps"], Sweep) if "steps" in checked else ()
        return MethodEntry(str(checked.get("type")), str(name), options, budget, steps or ())

    def suite(self, catalog: Catalog) -> Suite:
        """Prompts, metrics and timing; without a list of metrics all of them."""
        suite = self.section("suite", Suite)
        self.model(("suite", "timing", "wide"), suite.timing.wide)
        for index, name in enumerate(suite.metrics):
            if name not in catalog.metrics:
                self.fault(("suite", "metrics", index), unknown(name, list(catalog.metrics)))
        chosen = tuple(dict.fromkeys(suite.metrics)) or tuple(sorted(catalog.metrics))
        return suite.model_copy(update={"metrics": chosen})


def _catalog(packages: tuple[str, ...]) -> Catalog:
    """The registered classes of mfbench and of the custom imports."""

    def found(kind: str) -> dict[str, Declaration]:
        own = [LOCATIONS[kind]] if find_module(LOCATIONS[kind]) is not None else []
        return by_name(kind, [*own, *packages])

    return Catalog(methods=found("methods"), worlds=found("worlds"), metrics=found("metrics"))


def _registered(item: Declaration) -> type:
    """The class itself."""
    importlib.import_module(item.module)
    found: type = getattr(registry, item.kind.upper()).get(item.name)
    return found
