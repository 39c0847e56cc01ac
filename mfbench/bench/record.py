"""Records: one JSON file per cell, the contract between bench, report and anyone outside (stdlib only).

Schema 1: {schema, experiment, cell, method, steps, train_seed, sample_seed, status, error, metrics, stages,
artifacts, media, provenance}, and where there are any the `EXTRAS`. `steps` and the seeds are null for the
anchors `real` and `null`. No absolute path, host or user name may occur.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

SCHEMA = 1
STATUSES = ("ok", "failed")
KEYS: dict[str, type | tuple[type, ...]] = {
    "schema": int,
    "experiment": str,
    "cell": str,
    "method": str,
    "steps": (int, type(None)),
    "train_seed": (int, type(None)),
    "sample_seed": (int, type(None)),
    "status": str,
    "error": (dict, type(None)),
    "metrics": dict,
    "stages": dict,
    "artifacts": dict,
    "media": list,
    "provenance": dict,
}
METRIC_KEYS = ("value", "unit", "kind", "higher_is_better", "n", "coverage", "status", "per_clip")
METRIC_OPTIONAL = ("bootstrap",)  # replicates of a set metric over prompts, for intervals
# Optional, free-form: what is not one number with a unit.
EXTRAS = ("costs", "timing", "curves", "drift", "codec_floor")
METRIC_KINDS = ("quality", "timing", "cost")


class RecordError(ValueError):
    """A record that does not keep to the schema."""


def validate(record: dict[str, Any]) -> dict[str, Any]:
    """The record itself, if it keeps to schema 1.

    Raises:
        RecordError: naming the first offending key.
    """
    name = record.get("cell", "?")
    for key, kind in KEYS.items():
        if key not in record:
            raise RecordError(f"record {name}: {key!r} is missing")
        if not isinstance(record[key], kind) or isinstance(record[key], bool):
            raise RecordError(f"record {name}: {key!r} is {record[key]!r}")
    if extra := set(record) - set(KEYS) - set(EXTRAS):
        raise RecordError(f"record {name}: unknown keys {sorted(extra)}")
    if record["schema"] != SCHEMA:
        raise RecordError(f"record {name}: schema {record['schema']} is not {SCHEMA}")
    if record["status"] not in STATUSES:
        raise RecordError(f"record {name}: status {record['status']!r} is none of {', '.join(STATUSES)}")
    for metric, entry in record["metrics"].items():
        _validate_metric(f"record {name}, metric {metric}", entry)
    return record


def _validate_metric(where: str, entry: dict[str, Any]) -> None:
    for key in METRIC_KEYS:
        if key not in entry:
            raise RecordError(f"{where}: {key!r} is missing")
    if entry["kind"] not in METRIC_KINDS:
        raise RecordError(f"{where}: kind {entry['kind']!r} is none of {', '.join(METRIC_KINDS)}")
    value = entry["value"]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise RecordError(f"{where}: value {value!r} is no number")
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(f"{where}: value {value!r} is not finite; use null and a status")


def write(folder: Path, record: dict[str, Any]) -> Path:
    """Validate and write `<folder>/<cell>.json` in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{validate(record)['cell']}.json"
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
    return path


def read(path: Path) -> dict[str, Any]:
    """Read and validate one record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise RecordError(f"{path.name} holds no record")
    return validate(record)


def read_all(folder: Path) -> list[dict[str, Any]]:
    """Every record of a folder, by cell name."""
    return [read(path) for path in sorted(folder.glob("*.json"))]
