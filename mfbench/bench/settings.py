"""What an experiment file says, as typed records."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfbench.declarations import Declaration


@dataclass(frozen=True)
class Timing:
    """How the `time` stage measures.

    Attributes:
        wide: sizes of a larger network that is timed too, untrained (weights do not change latency), for the
            methods named in `wide_methods`: a speed claim needs a width where many steps are too slow.
    """

    rollouts: int = 3
    warmup: int = 1
    seconds: float = 5.12
    threads: int = 1
    wide: dict[str, Any] = field(default_factory=dict)
    wide_methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """What is generated and how it is scored.

    Attributes:
        metrics: registered names; empty means all.
        prompts: clips per cell of `seconds` each; `reference` real clips that they are compared with.
        long_prompts: clips of `long_seconds`, for drift; 0 leaves the long horizon out. They and the repeats
            are generated with the first sampling seed only.
        repeats: samples of each of the first `repeated_prompts` prompts, for diversity; 0 leaves them out.
    """

    metrics: tuple[str, ...] = ()
    prompts: int = 64
    reference: int = 256
    seconds: float = 5.12
    long_prompts: int = 0
    long_seconds: float = 25.6
    repeats: int = 0
    repeated_prompts: int = 8
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True)
class Axes:
    """The sweep: a cell per method, steps, train_seed and sample_seed."""

    steps: tuple[int, ...]
    train_seed: tuple[int, ...] = (0,)
    sample_seed: tuple[int, ...] = (0,)


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
    report: dict[str, Any]
    catalog: Catalog
