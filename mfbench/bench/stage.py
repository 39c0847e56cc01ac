"""A stage: a pure function of its spec, named by a hash of it.

The id covers what determines the result: kind, component, versions, fields and the parents' ids. Paths,
executor, device, threads, retries, logging and tracking stay outside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HASH_SCHEME = 1
BODIES = {
    "data": "mfbench.bench.bodies.data",
    "codec": "mfbench.bench.bodies.codec",
    "judge": "mfbench.bench.bodies.judge",
    "pretrain": "mfbench.bench.bodies.train",
    "train": "mfbench.bench.bodies.train",
    "generate": "mfbench.bench.bodies.generate",
    "score": "mfbench.bench.bodies.score",
    "time": "mfbench.bench.bodies.time",
}
KINDS = tuple(BODIES)


def canonical(value: object) -> str:
    """JSON with one spelling per value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


@dataclass(frozen=True)
class StageSpec:
    """What determines a stage's result.

    Attributes:
        kind: one of `KINDS`.
        component: the registered class or the part of the world that the stage is about.
        version: versions of the stage body and of the component.
        fields: plain JSON values.
        parents: role -> id of the stage whose result is read under that role.
        parent_kinds: role -> kind of that stage (where to find it; not hashed).
        code: source digest, part of the id only under `--strict-code`, else empty.
    """

    kind: str
    component: str
    version: tuple[int, ...]
    fields: dict[str, Any]
    parents: dict[str, str] = field(default_factory=dict)
    parent_kinds: dict[str, str] = field(default_factory=dict)
    code: str = ""

    @property
    def id(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        hashed = {
            "scheme": HASH_SCHEME,
            "kind": self.kind,
            "component": self.component,
            "version": list(self.version),
            "fields": self.fields,
            "parents": self.parents,
            **({"code": self.code} if self.code else {}),
        }
        return hashlib.sha256(canonical(hashed).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {
            "kind": self.kind,
            "component": self.component,
            "version": list(self.version),
            "fields": self.fields,
            "parents": self.parents,
            "parent_kinds": self.parent_kinds,
            "code": self.code,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StageSpec:
        """Rebuild a spec written by `to_json`."""
        return cls(**{**values, "version": tuple(values["version"])})


@dataclass(frozen=True)
class Stage:
    """A planned stage: its spec, the digest of its source, and how people call it."""

    spec: StageSpec
    digest: str
    label: str

    @property
    def id(self) -> str:
        """The id of the spec."""
        return self.spec.id

    @property
    def kind(self) -> str:
        """The kind of the spec."""
        return self.spec.kind

    def to_json(self) -> dict[str, Any]:
        """Plain values for a job file."""
        return {"spec": self.spec.to_json(), "digest": self.digest, "label": self.label}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Stage:
        """Rebuild a stage written by `to_json`."""
        return cls(StageSpec.from_json(values["spec"]), values["digest"], values["label"])


@dataclass(frozen=True)
class StageResult:
    """What a stage body returns; files it wrote below `context.out` are its artifacts.

    Attributes:
        values: plain JSON facts for later stages and the report (floors, curves, measured counts).
        metrics: name -> {value, unit, kind, higher_is_better, n, coverage, status, per_clip}; a cost metric
            may say `combine: "sum" | "max"`, how it adds up over the trainings behind a cell.
        media: {path: relative to `context.out`, ...free facts}; outside reproducibility checks.
    """

    values: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Parent:
    """A finished stage seen from a later one."""

    spec: StageSpec
    folder: Path
    result: StageResult


@dataclass(frozen=True)
class StageContext:
    """Everything a stage body may use.

    Attributes:
        spec: what to make.
        parents: role -> finished parent.
        out: an empty folder; what is written there is published with the result.
        scratch: a folder that survives a kill (training checkpoints); removed after publication.
        run_folder: the folder of the experiment's run.
        device: `cpu` or `cuda`.
        threads: threads of this process, already set for OMP and torch.
        workers: processes a stage may start while it has the machine for itself, else 1.
        track: `none`, `wandb-offline` or `wandb`.
        progress: call with (done, total, note) as often as is convenient.
        memory: shared by the stages of one process (loaded judges, the model just trained).
    """

    spec: StageSpec
    parents: dict[str, Parent]
    out: Path
    scratch: Path
    run_folder: Path
    device: str
    threads: int
    workers: int
    track: str
    progress: Callable[[int, int, str], None]
    memory: dict[str, Any]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the spec."""
        return self.spec.fields
