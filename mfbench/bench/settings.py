"""What an experiment file says, as typed records; the field's type is what it may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from mfbench.declarations import Declaration
from mfbench.options import Count, Seed, StepCounts


def _not_one(repeats: int) -> int:
    if repeats == 1:
        raise ValueError("wanted 0 or at least 2, as one sample of a prompt has no diversity")
    return repeats


def _once(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("wanted every value once")
    return values


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Seconds = Annotated[float, Field(gt=0, le=10**5)]
Number = Annotated[int, Field(ge=0, le=10**6)]
Repeats = Annotated[int, Field(ge=0, le=10**4), AfterValidator(_not_one)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_once)]
Sweep = Annotated[StepCounts, AfterValidator(_once)]
Claim = Literal["C1", "C2", "C3", "C4", "C5", "C6", "C7"]

BUDGET: dict[str, Any] = {  # of `components.BUDGET_SHARED` and `components.CURRENCIES`
    "batch_size": Annotated[int, Field(ge=2, le=10**5)],  # some methods share a batch between two terms
    "min_chunks": Count,
    "steps": Annotated[float, Field(gt=0, le=1e15)],
    "evaluations": Annotated[float, Field(gt=0, le=1e15)],
    "flops": Annotated[float, Field(gt=0, le=1e30)],
}


class Record(BaseModel):
    """A section: no other names, no other types, numbers that are numbers."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Timing(Record):
    """How the `time` stage measures.

    Attributes:
        wide: sizes of a larger network that is timed too, untrained (weights do not change latency), for the
            methods named in `wide_methods`: a speed claim needs a width where many steps are too slow.
    """

    rollouts: Annotated[int, Field(ge=1, le=10**5)] = 3
    warmup: Annotated[int, Field(ge=0, le=10**5)] = 1
    seconds: Seconds = 5.12
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    wide: dict[str, Any] = {}
    wide_methods: tuple[str, ...] = ()


class Suite(Record):
    """What is generated and how it is scored.

    Attributes:
        metrics: registered names; empty means all.
        prompts: clips per cell of `seconds` each; `reference` real clips that they are compared with.
        long_prompts: clips of `long_seconds`, for drift; 0 leaves the long horizon out. They and the repeats
            are generated with the first sampling seed only.
        repeats: samples of each of the first `repeated_prompts` prompts, for diversity; 0 leaves them out.
            A suite of fewer prompts than 8 repeats all that it has.
    """

    metrics: tuple[str, ...] = ()
    prompts: Annotated[int, Field(ge=2, le=10**6)] = 64
    reference: Annotated[int, Field(ge=8, le=10**6)] = 256
    seconds: Annotated[Seconds, Field(ge=0.64)] = 5.12
    long_prompts: Number = 0
    long_seconds: Seconds = 25.6
    repeats: Repeats = 0
    repeated_prompts: Annotated[int, Field(ge=1, le=10**6)] = 8
    timing: Timing = Timing()


class Axes(Record):
    """The sweep: a cell per method, steps, train_seed and sample_seed."""

    steps: Sweep
    train_seed: Seeds = (0,)
    sample_seed: Seeds = (0,)


class Report(Record):
    """What the report shows.

    Attributes:
        baseline: `METHOD@STEPS`, `METHOD` (at equal steps), or several of these.
        pareto: metrics of the axes of the front.
        claims: what the experiment decides; their margins are measured on the tables of `pilot`.
    """

    baseline: Names = ()
    pareto: tuple[Text, Text] = ("chunk_latency_ms", "kavd_lite")
    title: Text = ""
    claims: tuple[Claim, ...] = ()
    pilot: Text = ""

    def given(self) -> dict[str, Any]:
        """What the experiment file says, as plain values."""
        return self.model_dump(exclude_unset=True)


@dataclass(frozen=True)
class MethodEntry:
    """One line of `methods`: a registered type, its options, and the name of this variant.

    Attributes:
        budget: amounts that replace the experiment's for this variant.
        steps: step counts of this variant instead of the swept ones.
    """

    type: str
    name: str
    options: dict[str, Any]
    budget: dict[str, int | float] = field(default_factory=dict)
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """The registered classes an experiment can name, by kind and name."""

    methods: dict[str, Declaration]
    worlds: dict[str, Declaration]
    metrics: dict[str, Declaration]


@dataclass(frozen=True)
class Experiment:
    """A checked experiment file."""

    name: str
    path: Path
    custom_imports: tuple[str, ...]
    world: dict[str, Any]
    model: dict[str, Any]
    budget: dict[str, int | float]
    methods: tuple[MethodEntry, ...]
    axes: Axes
    suite: Suite
    report: Report
    catalog: Catalog
