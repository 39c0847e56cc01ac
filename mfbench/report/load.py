"""Run folders to a `Study`: records as typed values, the experiment's own report settings, media on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mfbench.bench import record
from mfbench.report.extras import extras
from mfbench.report.former_names import under_names_of_today
from mfbench.report.statistics import Floats

ANCHORS = ("real", "null")


@dataclass(frozen=True)
class Metric:
    """One metric of one record.

    Attributes:
        per_clip: float64 [prompts], NaN where a clip has no value; None for a set metric.
        replicates: float64 [replicates] of a bootstrap over prompts shared by all cells, or None.
    """

    name: str
    value: float | None
    unit: str
    kind: str
    higher_is_better: bool | None
    n: int | None
    coverage: float | None
    status: str
    per_clip: Floats | None
    replicates: Floats | None


@dataclass(frozen=True)
class Media:
    """A file beside the records: `path` on disk, `name` relative to the run folder."""

    path: Path
    name: str
    role: str
    clip: str
    caption: str


@dataclass(frozen=True)
class Cell:
    """One record; `extra` holds its optional `record.EXTRAS`: curves, drift, codec floors, costs by stage."""

    experiment: str
    name: str
    method: str
    steps: int | None
    train_seed: int | None
    sample_seed: int | None
    status: str
    error: dict[str, Any] | None
    metrics: dict[str, Metric]
    media: tuple[Media, ...]
    provenance: dict[str, Any]
    extra: dict[str, Any]

    @property
    def is_anchor(self) -> bool:
        """Whether this is the real or the null row."""
        return self.method in ANCHORS

    @property
    def ok(self) -> bool:
        """Whether the cell was measured."""
        return self.status == "ok"


@dataclass(frozen=True)
class Study:
    """Everything a report is made of; cells are ordered by method, steps and seeds."""

    name: str
    cells: tuple[Cell, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def report(self) -> dict[str, Any]:
        """The `report` section of the experiment file."""
        return dict(self.settings.get("report") or {})

    @property
    def methods(self) -> tuple[str, ...]:
        """Compared methods in the order of the experiment file, without the anchors."""
        return tuple(dict.fromkeys(cell.method for cell in self.cells if not cell.is_anchor))

    @property
    def steps(self) -> tuple[int, ...]:
        """Step counts that occur."""
        return tuple(sorted({cell.steps for cell in self.cells if cell.steps is not None}))

    def of(self, method: str, steps: int | None) -> tuple[Cell, ...]:
        """The measured cells of one method and step count."""
        return tuple(c for c in self.cells if c.ok and c.method == method and c.steps == steps)

    def groups(self) -> tuple[tuple[str, int | None], ...]:
        """Every (method, steps) with at least one measured cell, in order; anchors come first."""
        return tuple(dict.fromkeys((cell.method, cell.steps) for cell in self.cells if cell.ok))


def load(run_dirs: Sequence[Path]) -> Study:
    """Read run folders, or folders of records; of a cell that occurs twice the first good one counts.

    Raises:
        RecordError: naming the offending record; also where there is no record at all.
    """
    found: dict[tuple[str, str], Cell] = {}
    settings: list[dict[str, Any]] = []
    for folder in run_dirs:
        records, root = _locate(folder)
        settings.append(_settings(root))
        for path in sorted(records.glob("*.json")):
            if path.name != "experiment.json":
                cell = _cell(under_names_of_today(record.read(path)), root)
                key = (cell.experiment, cell.name)
                if key not in found or (cell.ok and not found[key].ok):
                    found[key] = cell
    if not found:
        raise record.RecordError(f"no records in {', '.join(folder.name for folder in run_dirs)}")
    merged = _merge(settings)
    cells = _ordered(list(found.values()), list(merged.get("methods", [])))
    return Study("+".join(dict.fromkeys(cell.experiment for cell in cells)), cells, merged)


def _locate(folder: Path) -> tuple[Path, Path]:
    """The folder of records, and the run folder that media paths are relative to."""
    if (folder / "records").is_dir():
        return folder / "records", folder
    return folder, folder.parent if folder.resolve().name == "records" else folder


def _settings(root: Path) -> dict[str, Any]:
    path = root / "experiment.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise record.RecordError(
            f"{path.name} of {root.name} is damaged ({error}); the same run writes it anew, or remove it"
        ) from error


def _merge(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """The first folder's settings, with methods and notes of the others added."""
    merged: dict[str, Any] = {}
    for item in settings:
        for key, value in item.items():
            if key in ("methods", "skipped", "off_design"):
                kept = merged.setdefault(key, [])
                kept += [entry for entry in value if entry not in kept]
            else:
                merged.setdefault(key, value)
    return merged


def _cell(content: dict[str, Any], root: Path) -> Cell:
    return Cell(
        experiment=content["experiment"],
        name=content["cell"],
        method=content["method"],
        steps=content["steps"],
        train_seed=content["train_seed"],
        sample_seed=content["sample_seed"],
        status=content["status"],
        error=content["error"],
        metrics={name: _metric(name, entry) for name, entry in sorted(content["metrics"].items())},
        media=tuple(_media(entry, root) for entry in content["media"]),
        provenance=content["provenance"],
        extra=extras(content),
    )


def _metric(name: str, entry: dict[str, Any]) -> Metric:
    bootstrap = entry.get("bootstrap")  # the replicates, or {scheme, values}
    return Metric(
        name=name,
        value=None if entry["value"] is None else float(entry["value"]),
        unit=entry["unit"] or "",
        kind=entry["kind"],
        higher_is_better=entry["higher_is_better"],
        n=entry["n"],
        coverage=entry["coverage"],
        status=entry["status"],
        per_clip=_floats(entry["per_clip"]),
        replicates=_floats(bootstrap["values"] if isinstance(bootstrap, dict) else bootstrap),
    )


def _floats(values: list[float | None] | None) -> Floats | None:
    """Numbers as an array with NaN for null; None where nothing was listed."""
    if not values:
        return None
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)


def _media(entry: dict[str, Any], root: Path) -> Media:
    relative = PurePosixPath(entry["path"])
    if relative.is_absolute() or ".." in relative.parts:
        raise record.RecordError(f"media path {entry['path']!r} leaves the run folder; it must lie below it")
    path = root / relative
    if not path.resolve().is_relative_to((root / relative.parts[0]).resolve()):
        raise record.RecordError(f"media path {entry['path']!r} is a link that leaves the run folder")
    return Media(
        path=path,
        name=str(entry["path"]),
        role=str(entry.get("role") or ""),
        clip="" if entry.get("clip") is None else str(entry["clip"]),
        caption=str(entry.get("caption") or ""),
    )


def _ordered(cells: list[Cell], methods: list[str]) -> tuple[Cell, ...]:
    """Anchors first, then methods as the experiment lists them, unknown ones last by name."""
    rank = {name: index for index, name in enumerate([*ANCHORS, *methods])}

    def key(cell: Cell) -> tuple[int, str, int, int, int, str]:
        numbers = [-1 if v is None else v for v in (cell.steps, cell.train_seed, cell.sample_seed)]
        return rank.get(cell.method, len(rank)), cell.method, *numbers, cell.experiment  # type: ignore[return-value]

    return tuple(sorted(cells, key=key))
