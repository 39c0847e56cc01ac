"""From an experiment to its cells and the graph of stages behind them. Imports no torch.

A training is one stage shared by every step count and seed of sampling; its parents are the trainings named
in the method's `parents`, with the same seed. Options listed in a method's `sampling_options` belong to
generation, so variants that differ only in them share one training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mfbench.bench import components
from mfbench.bench.settings import Experiment, MethodEntry
from mfbench.bench.stage import BODIES, Stage, StageSpec
from mfbench.declarations import Declaration
from mfbench.errors import UsageError

ANCHORS = ("real", "null")


@dataclass(frozen=True)
class Cell:
    """One record: a method at a step count and two seeds, or an anchor (no steps, no seeds).

    Attributes:
        stages: kind -> id of the stages that are this cell's own (train, generate, score, time).
        ancestors: ids of every training behind it, its own included, oldest first.
    """

    name: str
    method: str
    steps: int | None
    train_seed: int | None
    sample_seed: int | None
    stages: dict[str, str]
    ancestors: tuple[str, ...] = ()
    off_design: bool = False


@dataclass(frozen=True)
class Skipped:
    """A combination that the plan leaves out."""

    cell: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Cells, the stages they need (parents before children), and what was left out."""

    experiment: Experiment
    cells: tuple[Cell, ...]
    stages: dict[str, Stage]
    skipped: tuple[Skipped, ...]
    bodies: dict[str, str]

    def needed(self, ids: list[str], finished: Callable[[StageSpec], bool]) -> list[str]:
        """Unfinished stages behind these ids, in the order of the plan; a finished one needs no parents."""
        needed: set[str] = set()
        pending = list(ids)
        while pending:
            current = pending.pop()
            if current not in needed and not finished(self.stages[current].spec):
                needed.add(current)
                pending += self.stages[current].spec.parents.values()
        return [id_ for id_ in self.stages if id_ in needed]


def make(
    experiment: Experiment,
    hardware: dict[str, Any],
    *,
    strict_code: bool = False,
    bodies: Mapping[str, str] = BODIES,
) -> Plan:
    """Expand an experiment.

    `hardware` is part of the identity of timings only; `bodies` names the module that makes each kind.
    """
    builder = _Builder(
        experiment,
        hardware,
        components.Code(dict(bodies), experiment.custom_imports),
        strict_code=strict_code,
    )
    builder.shared()
    cells = [builder.anchor(name) for name in ANCHORS]
    for entry in experiment.methods:
        cells += builder.cells(entry)
    return Plan(experiment, tuple(cells), builder.stages, tuple(builder.skipped), dict(bodies))


class _Builder:
    def __init__(
        self, experiment: Experiment, hardware: dict[str, Any], code: components.Code, *, strict_code: bool
    ) -> None:
        self.experiment = experiment
        self.code = code
        self.hardware = hardware
        self.strict_code = strict_code
        self.stages: dict[str, Stage] = {}
        self.skipped: list[Skipped] = []
        self.common: dict[str, str] = {}

    def add(
        self,
        kind: str,
        component: str,
        label: str,
        fields: dict[str, Any],
        parents: dict[str, str],
        *items: Declaration,
    ) -> str:
        """Add a stage once and return its id; the first of `items` is the versioned component, if any."""
        modules = tuple(sorted({item.module for item in items}))
        digest = self.code.digest(kind, modules)
        owner = [item for item in items[:1] if item.name == component]
        versions = (self.code.version(kind), *(components.version(item) for item in owner))
        kinds = {role: self.stages[id_].kind for role, id_ in parents.items()}
        code = digest if self.strict_code else ""
        spec = StageSpec(kind, component, versions, fields, parents, kinds, code)
        self.stages.setdefault(spec.id, Stage(spec, digest, label))
        return spec.id

    def shared(self) -> None:
        """Training data, codec, test material and fitted judges: everything that no method changes."""
        suite = self.experiment.suite
        chosen = self.experiment.world
        world = self.experiment.catalog.worlds[chosen["type"]]
        options = components.options(world, chosen)
        name = world.name
        data = self.add("data", name, "data train", {"part": "train", "world": options}, {}, world)
        codec = self.add("codec", name, "codec", {"world": options}, {"data": data}, world)
        test_fields = {
            "part": "test",
            "world": options,
            "prompts": suite.prompts,
            "reference": suite.reference,
            "seconds": suite.seconds,
            "long_prompts": suite.long_prompts,
            "long_seconds": suite.long_seconds if suite.long_prompts else 0.0,
        }
        test = self.add("data", name, "data test", test_fields, {}, world)
        parents = {"data": data, "test": test, "codec": codec}
        judge = self.add("judge", name, "judge", {}, parents, world)
        self.common = {"data": data, "codec": codec, "test": test, "judge": judge}

    def pick(self, *roles: str) -> dict[str, str]:
        """Some of the shared stages as parents."""
        return {role: self.common[role] for role in roles}

    def score(self, component: str, label: str, parents: dict[str, str]) -> str:
        """A score stage with every metric of the suite."""
        metrics = [self.experiment.catalog.metrics[name] for name in self.experiment.suite.metrics]
        versions = {item.name: components.version(item) for item in metrics}
        scored = self.pick("test", "judge", "codec") | parents
        return self.add("score", component, label, {"metrics": versions}, scored, *metrics)

    def anchor(self, name: str) -> Cell:
        """The row of real clips, or of mismatched pairs."""
        return Cell(name, name, None, None, None, {"score": self.score(name, f"score {name}", {})})

    def cells(self, entry: MethodEntry) -> list[Cell]:
        """Every legal cell of one method; the others are noted as skipped."""
        item = self.experiment.catalog.methods[entry.type]
        axes = self.experiment.axes
        if item.constant("stage", "train") == "pretrain":
            self.skipped.append(Skipped(entry.name, "a pretraining stage, trained but not sampled"))
            return []
        made: list[Cell] = []
        legal = tuple(item.constant("steps", ()))
        for steps in entry.steps or axes.steps:
            if legal and steps not in legal:
                reason = f"{item.name} can be sampled at {', '.join(map(str, legal))} steps only"
                self.skipped.append(Skipped(f"{entry.name}@{steps}", reason))
                continue
            for train_seed in axes.train_seed:
                made += [self.cell(entry, item, steps, train_seed, seed) for seed in axes.sample_seed]
        return made

    def cell(
        self, entry: MethodEntry, item: Declaration, steps: int, train_seed: int, sample_seed: int
    ) -> Cell:
        """One cell and its own stages."""
        at = f"{entry.name}@{steps}"
        name = f"{at}-t{train_seed}-s{sample_seed}"
        chain = self.training(entry, train_seed, ())
        train = chain[-1]
        options = components.options(item, entry.options)
        sampling = {key: options[key] for key in item.constant("sampling_options", ()) if key in options}
        fields = {"steps": steps, "options": sampling}
        parents = {"train": train} | self.pick("test", "codec")
        generate_fields = fields | {"sample_seed": sample_seed} | self.extras(sample_seed)
        generate = self.add("generate", item.name, f"generate {name}", generate_fields, parents, item)
        stages = {
            "train": train,
            "generate": generate,
            "score": self.score(item.name, f"score {name}", {"generate": generate}),
        }
        if train_seed == self.experiment.axes.train_seed[0]:  # weights do not change latency
            timing = fields | {"timing": self.timing(entry), "hardware": self.hardware}
            behind = parents | {"train": train}
            stages["time"] = self.add("time", item.name, f"time {at}", timing, behind, item)
        designed = tuple(item.constant("on_design", ()))
        return Cell(
            name=name,
            method=entry.name,
            steps=steps,
            train_seed=train_seed,
            sample_seed=sample_seed,
            stages=stages,
            ancestors=tuple(chain),
            off_design=bool(designed) and steps not in designed,
        )

    def timing(self, entry: MethodEntry) -> dict[str, Any]:
        """How one method is timed."""
        fields = self.experiment.suite.timing.model_dump()
        wide, named = fields.pop("wide"), fields.pop("wide_methods")
        return fields | ({"wide": wide} if wide and entry.name in named else {})

    def extras(self, sample_seed: int) -> dict[str, int | bool]:
        """What only the first sampling seed generates: the long horizon and repeated prompts."""
        suite = self.experiment.suite
        first = sample_seed == self.experiment.axes.sample_seed[0]
        return {
            "long": first and suite.long_prompts > 0,
            "repeats": suite.repeats if first else 0,
            "repeated_prompts": min(suite.repeated_prompts, suite.prompts) if first else 0,
        }

    def training(self, entry: MethodEntry, seed: int, below: tuple[str, ...]) -> list[str]:
        """Ids of a training and of all trainings that it starts from, oldest first, itself last."""
        item = self.experiment.catalog.methods[entry.type]
        if item.name in below:
            raise UsageError(f"{item.origin}: {' -> '.join((*below, item.name))} start from each other")
        chain: list[str] = []
        parents = self.pick("data", "codec")
        for name in item.constant("parents", ()):
            if name not in self.experiment.catalog.methods:
                raise UsageError(
                    f"{item.origin}: {item.name} starts from {name!r}, which no imported module registers; "
                    "name its package in custom_imports"
                )
            behind = self.training(self.entry_of(name), seed, (*below, item.name))
            parents[name] = behind[-1]
            if name != item.constant("cost_of", None):  # a control only reads what its rival cost
                chain += [id_ for id_ in behind if id_ not in chain]
        options = components.options(item, entry.options)
        fields = {
            "options": {k: v for k, v in options.items() if k not in item.constant("sampling_options", ())},
            "model": self.experiment.model,
            "budget": self.budget(item, entry),
            "train_seed": seed,
        }
        kind = "pretrain" if item.constant("stage", "train") == "pretrain" else "train"
        stage = self.add(kind, item.name, f"{kind} {entry.name}-t{seed}", fields, parents, item)
        return [*chain, stage]

    def entry_of(self, name: str) -> MethodEntry:
        """The experiment's own entry of a parent, or the parent with its default options."""
        found = [entry for entry in self.experiment.methods if entry.name == name and entry.type == name]
        return found[0] if found else MethodEntry(name, name, {})

    def budget(self, item: Declaration, entry: MethodEntry) -> dict[str, int | float]:
        """The shared part of the budget and the method's own optimiser steps, or the amount it is paid."""
        key = str(item.constant("budget_key", ""))
        given = {**self.experiment.budget, **entry.budget}
        if key not in entry.budget and any(name in components.CURRENCIES for name in entry.budget):
            given.pop(key, None)  # a variant that is paid an amount has no number of steps
            for name in set(components.CURRENCIES) - set(entry.budget):
                given.pop(name, None)
        shared = {name: given.get(name, default) for name, default in components.BUDGET_SHARED.items()}
        if not key:
            return shared
        if key in given:
            return shared | {"optimiser_steps": given[key]}
        paid = {name: given[name] for name in components.CURRENCIES if name in given}
        if not paid:
            raise UsageError(
                f"{self.experiment.path}: budget lacks {key!r}, the optimiser steps of {item.name} "
                f"(or one of {', '.join(components.CURRENCIES)} for every key left out)"
            )
        return shared | paid
