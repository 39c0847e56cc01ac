"""Check a loaded experiment: every key, name and value, with the place and the nearest correct name."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import fields
from typing import Any, NoReturn

from mfbench.bench.components import BUDGET_SHARED, CURRENCIES
from mfbench.bench.locate import Path_, SourceMap
from mfbench.bench.settings import Axes, Catalog, Experiment, MethodEntry, Suite, Timing
from mfbench.declarations import LOCATIONS, Declaration, by_name, class_options
from mfbench.errors import UsageError
from mfbench.sources import find_module

SECTIONS = ("custom_imports", "world", "model", "budget", "methods", "axes", "suite", "report")
REQUIRED = ("world", "budget", "methods", "axes", "suite")
CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
MODEL_DERIVED = ("clip", "reference_channels", "vocabulary", "slots")  # follow from the world
REPORT_KEYS = ("baseline", "pareto", "title", "claims", "pilot")
ENTRY_KEYS = ("name", "budget", "steps")  # what an entry of `methods` may hold beside the method's options
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def unknown(name: str, known: list[str]) -> str:
    """The message for a name that is not among the known ones."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known)) or 'none'}"
    return f"unknown name {name!r}; {hint}"


class Checker:
    """Checks one loaded file; every error names the place."""

    def __init__(self, source: SourceMap, values: dict[str, Any]) -> None:
        self.source = source
        self.values = values

    def experiment(self, name: str, imports: list[str]) -> Experiment:
        """The whole file, checked."""
        self.known((), self.values, SECTIONS)
        for section in REQUIRED:
            if section not in self.values:
                self.fail((), f"the section {section!r} is missing")
        self.json_only((), self.values)
        packages = tuple(dict.fromkeys([*self.names("custom_imports"), *imports]))
        catalog = self.catalog(packages)
        return Experiment(
            name=name,
            path=self.source.path,
            custom_imports=packages,
            world=self.entry(("world",), self.section("world"), catalog.worlds),
            model=self.model(("model",), self.section("model")),
            budget=self.budget(("budget",), self.section("budget"), catalog),
            methods=self.methods(catalog),
            axes=self.axes(),
            suite=self.suite(catalog),
            report=self.report(),
            catalog=catalog,
        )

    def fail(self, keys: Path_, message: str) -> NoReturn:
        """End with the place, the key and what is wrong."""
        raise UsageError(f"{self.source.where(keys)}: {'.'.join(map(str, keys)) or 'experiment'}: {message}")

    def section(self, name: str) -> dict[str, Any]:
        """A top-level dict, empty where the file leaves it out."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            self.fail((name,), f"wanted dict(...), got {value!r}")
        return dict(value)

    def names(self, section: str) -> list[str]:
        """`custom_imports` as a list of packages or in mmengine's dict(imports=[...]) form."""
        value = self.values.get(section, [])
        if isinstance(value, dict):
            self.known((section,), value, ("imports", "allow_failed_imports"))
            value = value.get("imports", [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail((section,), f"wanted a list of module names, got {value!r}")
        return list(value)

    def known(
        self, keys: Path_, values: dict[str, Any], known: tuple[str, ...] | list[str]
    ) -> dict[str, Any]:
        """The values, once every name among them is a known one."""
        for name in values:
            if name not in known:
                self.fail((*keys, name), unknown(name, list(known)))
        return values

    def json_only(self, keys: Path_, value: object) -> None:
        """Refuse every value that JSON cannot hold."""
        if isinstance(value, dict):
            for name, item in value.items():
                if not isinstance(name, str):
                    self.fail(keys, f"keys must be strings, got {name!r}")
                self.json_only((*keys, name), item)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self.json_only((*keys, index), item)
        else:
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                self.fail(keys, f"only JSON values can be written in an experiment, got {value!r}")

    def catalog(self, packages: tuple[str, ...]) -> Catalog:
        """The registered classes of mfbench and of the custom imports."""

        def found(kind: str) -> dict[str, Declaration]:
            own = [LOCATIONS[kind]] if find_module(LOCATIONS[kind]) is not None else []
            return by_name(kind, [*own, *packages])

        return Catalog(methods=found("methods"), worlds=found("worlds"), metrics=found("metrics"))

    def entry(
        self,
        keys: Path_,
        values: dict[str, Any],
        catalog: dict[str, Declaration],
        extra: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """A dict(type=registered name, **its options)."""
        name = values.get("type")
        if not isinstance(name, str) or name not in catalog:
            self.fail((*keys, "type"), unknown(str(name), list(catalog)))
        options = catalog[str(name)].options
        self.known(keys, values, ("type", *extra, *options))
        for key, value in values.items():
            default = options[key].default if key in options else None
            self.same_type((*keys, key), value, default)
        return values

    def same_type(self, keys: Path_, value: object, default: object) -> None:
        """Refuse a value of another type than the declared default."""
        for kind in (bool, (int, float), str, (list, tuple), dict):
            if isinstance(default, kind):
                if not isinstance(value, kind) or isinstance(value, bool) != isinstance(default, bool):
                    self.fail(keys, f"wanted a value like {default!r}, got {value!r}")
                return

    def model(self, keys: Path_, given: dict[str, Any]) -> dict[str, Any]:
        """Sizes of the network."""
        known = class_options("mfbench.models.av_transformer", "TransformerSpec")
        for name in MODEL_DERIVED:
            known.pop(name, None)
        values = self.known(keys, given, list(known))
        for name, value in values.items():
            self.same_type((*keys, name), value, known[name].default)
        return values

    def budget(self, keys: Path_, given: object, catalog: Catalog) -> dict[str, int | float]:
        """Batch size, and optimiser steps by key or one amount of a currency for the keys left out."""
        if not isinstance(given, dict):
            self.fail(keys, f"wanted dict(...), got {given!r}")
        own = {str(item.constant("budget_key", "")) for item in catalog.methods.values()} - {""}
        values = self.known(keys, given, [*BUDGET_SHARED, *CURRENCIES, *sorted(own)])
        paid = [name for name in CURRENCIES if name in values]
        if len(paid) > 1:
            self.fail(keys, f"one currency at a time, got {' and '.join(paid)}")
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                self.fail((*keys, name), f"wanted a positive number, got {value!r}")
        return values

    def methods(self, catalog: Catalog) -> tuple[MethodEntry, ...]:
        """The compared methods, each under a name of its own."""
        values = self.values["methods"]
        if not isinstance(values, list) or not values:
            self.fail(("methods",), f"wanted a list of dict(type=...), got {values!r}")
        entries = [self.method(("methods", index), value, catalog) for index, value in enumerate(values)]
        names = [entry.name for entry in entries]
        for index, name in enumerate(names):
            if name in names[:index] or name in ("real", "null"):
                self.fail(("methods", index), f"the name {name!r} is taken; give this variant name='...'")
        return tuple(entries)

    def method(self, keys: Path_, value: object, catalog: Catalog) -> MethodEntry:
        """One entry of `methods`."""
        if not isinstance(value, dict):
            self.fail(keys, f"wanted dict(type=...), got {value!r}")
        checked = self.entry(keys, value, catalog.methods, extra=ENTRY_KEYS)
        name = checked.get("name", checked["type"])
        if not isinstance(name, str) or not NAME.fullmatch(name):
            self.fail((*keys, "name"), f"a name is letters, digits and _.+-, got {name!r}")
        options = {key: item for key, item in checked.items() if key not in ("type", *ENTRY_KEYS)}
        budget = self.budget((*keys, "budget"), checked.get("budget", {}), catalog)
        steps = self.whole_numbers((*keys, "steps"), checked["steps"], 1) if "steps" in checked else ()
        return MethodEntry(checked["type"], str(name), options, budget, steps)

    def axes(self) -> Axes:
        """The swept values."""
        values = self.known(("axes",), self.section("axes"), [item.name for item in fields(Axes)])
        if "steps" not in values:
            self.fail(("axes",), "steps is missing, for instance steps=[1, 2, 4, 8]")
        low = {"steps": 1}
        return Axes(
            **{name: self.whole_numbers(("axes", name), v, low.get(name, 0)) for name, v in values.items()}
        )

    def whole_numbers(self, keys: Path_, items: object, low: int) -> tuple[int, ...]:
        """A list of different whole numbers from `low`."""
        if not isinstance(items, list | tuple) or not items:
            self.fail(keys, f"wanted a list of whole numbers, got {items!r}")
        for index, item in enumerate(items):
            if isinstance(item, bool) or not isinstance(item, int) or item < low:
                self.fail((*keys, index), f"wanted whole numbers from {low}, got {item!r}")
        if len(set(items)) != len(items):
            self.fail(keys, f"every value once, got {items!r}")
        return tuple(items)

    def report(self) -> dict[str, Any]:
        """What the report shows; claims need the pilot that their margins are measured on."""
        values = self.known(("report",), self.section("report"), REPORT_KEYS)
        for index, claim in enumerate(values.get("claims", ())):
            if claim not in CLAIMS:
                self.fail(("report", "claims", index), unknown(str(claim), list(CLAIMS)))
        if "claims" in values and "pilot" not in values:
            self.fail(
                ("report",),
                "claims need pilot='../reports/NAME', the report that margins are measured on",
            )
        return values

    def suite(self, catalog: Catalog) -> Suite:
        """Prompts, metrics and timing."""
        values = self.section("suite")
        timing = self.record(("suite", "timing"), values.pop("timing", {}), Timing())
        self.model(("suite", "timing", "wide"), timing.get("wide", {}))
        metrics = values.pop("metrics", [])
        for index, name in enumerate(metrics):
            if name not in catalog.metrics:
                self.fail(("suite", "metrics", index), unknown(str(name), list(catalog.metrics)))
        checked = self.record(("suite",), values, Suite())
        chosen = tuple(metrics) or tuple(sorted(catalog.metrics))
        return Suite(**checked, metrics=chosen, timing=Timing(**timing))

    def record(self, keys: Path_, values: object, defaults: object) -> dict[str, Any]:
        """The given fields of a settings record: known names, numbers that make sense."""
        if not isinstance(values, dict):
            self.fail(keys, f"wanted dict(...), got {values!r}")
        known = [item.name for item in fields(defaults)]  # type: ignore[arg-type]
        self.known(keys, values, known)
        for name, value in values.items():
            self.same_type((*keys, name), value, getattr(defaults, name))
            if isinstance(value, int | float) and value < (
                0 if name in ("long_prompts", "repeats", "warmup") else 1e-9
            ):
                self.fail((*keys, name), f"wanted a positive number, got {value!r}")
        return values
