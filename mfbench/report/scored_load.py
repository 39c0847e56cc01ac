"""Results of scored folders (`summary.json`, `clips.csv`) as typed values."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfbench.errors import UsageError

SUMMARY, CLIPS = "summary.json", "clips.csv"
SCHEMA = 1


@dataclass(frozen=True)
class Number:
    """One metric over all films of a folder.

    Attributes:
        strict: with the worst possible value for every film that failed.
        enough: whether there are as many films as the metric wants.
        protocol: differs where the same metric was read by other judges or in another version.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    unit: str
    higher_is_better: bool | None
    n: int
    coverage: float
    status: str
    strict: float | None
    enough: bool
    protocol: str
    reason: str


@dataclass(frozen=True)
class Film:
    """What became of one file."""

    file: str
    status: str
    reason: str
    notes: tuple[str, ...]
    failed_metrics: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """One scored folder.

    Attributes:
        label: how the page calls it.
        real: what the films of the reference get.
        clips: value of every film that has one, by metric and file.
    """

    label: str
    films: tuple[Film, ...]
    failed: int
    characters: int
    media_seconds: float
    reference: str
    judges: str
    weights: tuple[Mapping[str, str], ...]
    metrics: Mapping[str, Number]
    real: Mapping[str, Number]
    clips: Mapping[str, Mapping[str, float]]


def is_scored(folder: Path) -> bool:
    """Whether a folder holds the results of `score`."""
    return (folder / SUMMARY).is_file()


def load_scored(folders: Sequence[Path]) -> tuple[Scored, ...]:
    """Read the results of one or more folders; those of one name are told apart by where they lie.

    Raises:
        UsageError: naming the file that cannot be read, or the folders that cannot be told apart.
    """
    contents = [(folder, _content(folder / SUMMARY)) for folder in folders]
    names = [str(content["folder"]) for _, content in contents]
    labels = [
        name if names.count(name) == 1 else f"{name} ({folder.resolve().name})"
        for name, (folder, _) in zip(names, contents, strict=True)
    ]
    if len(set(labels)) < len(labels):
        raise UsageError(f"two of the results are called {labels}: rename the folders that hold them")
    return tuple(_scored(label, *pair) for label, pair in zip(labels, contents, strict=True))


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); score the folder again") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or "real" not in content:
        raise UsageError(f"{path}: is of another version; score the folder again")
    return content


def _scored(label: str, folder: Path, content: dict[str, Any]) -> Scored:
    try:
        return Scored(
            label=label,
            films=tuple(_film(entry) for entry in content["files"]),
            failed=int(content["failed"]),
            characters=int(content["characters"]),
            media_seconds=float(content["media_seconds"]),
            reference=str(content["reference"]),
            judges=str(content["judges"]),
            weights=tuple(content["weights"]),
            metrics={name: Number(**entry) for name, entry in content["metrics"].items()},
            real={name: Number(**entry) for name, entry in content["real"].items()},
            clips=_clips(folder / CLIPS),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UsageError(f"{folder}: incomplete results ({error!r}); score the folder again") from error


def _film(entry: Mapping[str, Any]) -> Film:
    return Film(
        file=str(entry["file"] or entry["id"]),
        status=str(entry["status"]),
        reason=str(entry["reason"]),
        notes=tuple(entry["notes"]),
        failed_metrics=tuple(entry["failed_metrics"]),
    )


def _clips(path: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["value"]:
                found.setdefault(row["metric"], {})[row["file"]] = float(row["value"])
    return found
