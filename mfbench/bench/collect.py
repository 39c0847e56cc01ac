"""From finished stages to records: what a cell measured, what it cost, what went wrong."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mfbench import files, provenance
from mfbench.bench import record
from mfbench.bench.plan import Cell, Plan
from mfbench.bench.store import Failure, Finished, Store
from mfbench.errors import CorruptError

MEDIA_KINDS = ("generate", "score")


@dataclass(frozen=True)
class Collector:
    """Writes the records of one run.

    Attributes:
        elsewhere: folders with records of other runs that count too.
    """

    plan: Plan
    store: Store
    argv: list[str]
    elsewhere: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Where records lie."""
        return self.store.root / "records"

    def stage_ids(self, cell: Cell) -> dict[str, str]:
        """Every stage behind a cell: its own by kind, the shared and the ancestors' by label."""
        found: dict[str, str] = {}
        pending = list(cell.stages.values())
        while pending:
            stage = self.plan.stages[pending.pop()]
            if stage.id not in found.values():
                own = next((kind for kind, id_ in cell.stages.items() if id_ == stage.id), None)
                found[own or stage.label] = stage.id
                pending += stage.spec.parents.values()
        return dict(sorted(found.items()))

    def existing(self, cell: Cell) -> dict[str, Any] | None:
        """A record of this cell that is still good, from the run itself or from elsewhere.

        A foreign record may have been timed on other hardware: only its score has to be the same.
        """
        stages = self.stage_ids(cell)
        for folder in (self.folder, *self.elsewhere):
            path = folder / f"{cell.name}.json"
            if path.is_file():
                found = _read(path)
                same = found["stages"] == stages
                foreign = folder != self.folder and found["stages"].get("score") == stages["score"]
                if found["status"] == "ok" and (same or foreign):
                    return found
        return None

    def write(self, cell: Cell) -> dict[str, Any]:
        """Build and write the record of a cell whose stages are finished, damaged, or have failed."""
        try:
            finished = {
                kind: self.store.read(self.plan.stages[id_].spec)
                for kind, id_ in cell.stages.items()
                if self.store.finished(self.plan.stages[id_].spec)
            }
            metrics, error = self._metrics(cell, finished), self._error(cell)
            extras = self._extras(cell, finished)
        except CorruptError as damage:
            finished, metrics, extras = {}, {}, {}
            error = {"stage": "", "type": "CorruptError", "message": scrub(str(damage)), "traceback": ""}
        built = {
            "schema": record.SCHEMA,
            "experiment": self.plan.experiment.name,
            "cell": cell.name,
            "method": cell.method,
            "steps": cell.steps,
            "train_seed": cell.train_seed,
            "sample_seed": cell.sample_seed,
            "status": "ok" if error is None else "failed",
            "error": error,
            "metrics": metrics,
            "stages": self.stage_ids(cell),
            "artifacts": _artifacts(finished),
            "media": self._media(cell, finished),
            "provenance": self._provenance(cell, finished),
            **extras,
        }
        record.write(self.folder, built)
        return built

    def _metrics(self, cell: Cell, finished: dict[str, Finished]) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        for kind in ("generate", "score", "time"):
            if kind in finished:
                metrics |= finished[kind].result.metrics
        metrics |= self._costs(cell)
        return {
            name: {key: entry.get(key) for key in record.METRIC_KEYS}
            | {key: entry[key] for key in record.METRIC_OPTIONAL if key in entry}
            for name, entry in sorted(metrics.items())
        }

    def _extras(self, cell: Cell, finished: dict[str, Finished]) -> dict[str, Any]:
        """Free-form facts: stages offer them in `values` under the names of `record.EXTRAS`."""
        found = {}
        codecs = [stage.spec for stage in self.plan.stages.values() if stage.kind == "codec"]
        values = [self.store.read(spec).result.values for spec in codecs if self.store.finished(spec)]
        values += [finished[kind].result.values for kind in ("generate", "score", "time") if kind in finished]
        if "train" in finished and self._first_of_training(cell):  # the same for all of them, and long
            values.append(finished["train"].result.values)
            found["costs"] = self._cost_per_training(cell)
        for name in record.EXTRAS:
            for offered in values:
                if name in offered:
                    found[name] = offered[name]
        return found

    def _first_of_training(self, cell: Cell) -> bool:
        train = cell.stages["train"]
        same = [other for other in self.plan.cells if other.stages.get("train") == train]
        return next(other for other in same if other.method == cell.method).name == cell.name

    def _cost_per_training(self, cell: Cell) -> list[dict[str, Any]]:
        """Cost metrics of each training behind a cell, oldest first."""
        rows = []
        for id_ in cell.ancestors:
            stage = self.plan.stages[id_]
            if self.store.finished(stage.spec):
                metrics = self.store.read(stage.spec).result.metrics
                costs = {name: entry["value"] for name, entry in metrics.items() if entry["kind"] == "cost"}
                rows.append({"stage": stage.label, "method": stage.spec.component, **costs})
        return rows

    def _costs(self, cell: Cell) -> dict[str, Any]:
        """Cost metrics of every training behind the cell, added up (or their maximum, as they say)."""
        total: dict[str, Any] = {}
        for id_ in cell.ancestors:
            spec = self.plan.stages[id_].spec
            if not self.store.finished(spec):
                return {}
            for name, entry in self.store.read(spec).result.metrics.items():
                if entry["kind"] == "cost":
                    before = total.get(name)
                    combine = max if entry.get("combine") == "max" else sum
                    value = combine((before["value"], entry["value"])) if before else entry["value"]
                    total[name] = {**entry, "value": value}
        return total

    def _error(self, cell: Cell) -> dict[str, Any] | None:
        """The first failure on the way to the cell, in the order of the plan."""
        missing = self.plan.needed(list(cell.stages.values()), self.store.finished)
        if not missing:
            return None
        failures = [(id_, self.store.failure(id_)) for id_ in missing]
        known = [(id_, failure) for id_, failure in failures if failure is not None]
        id_, failure = known[0] if known else (missing[0], Failure(missing[0], "NotRun", "it was not run"))
        return {
            "stage": self.plan.stages[id_].label,
            "type": failure.type,
            "message": scrub(failure.message),
            "traceback": scrub(failure.traceback),
        }

    def _media(self, cell: Cell, finished: dict[str, Finished]) -> list[dict[str, Any]]:
        """Media of the cell, copied beside the records so that both can be carried elsewhere."""
        media = []
        for kind in MEDIA_KINDS:
            for entry in finished[kind].result.media if kind in finished else []:
                source = finished[kind].folder / "artifacts" / entry["path"]
                target = Path("media") / cell.name / Path(entry["path"]).name
                _link(source, self.store.root / target)
                media.append({**entry, "path": target.as_posix()})
        return media

    def _provenance(self, cell: Cell, finished: dict[str, Finished]) -> dict[str, Any]:
        digests = "".join(f"{kind}:{item.digest}," for kind, item in sorted(finished.items()))
        code = hashlib.sha256(digests.encode()).hexdigest()[:16]
        runs = [item.run for item in finished.values()]
        described = provenance.describe(
            self.argv, threads=int(runs[0]["threads"]) if runs else 0, code_digest=code
        )
        return {
            **described,
            "device": runs[0]["device"] if runs else None,
            "off_design": cell.off_design,
            "stale_stages": stale(self.plan, self.store, list(cell.stages.values())),
            "started": _iso(min((run["started"] for run in runs), default=None)),
            "finished": _iso(max((run["finished"] for run in runs), default=None)),
        }


def _read(path: Path) -> dict[str, Any]:
    try:
        return record.read(path)
    except record.RecordError as error:
        raise CorruptError(f"{error}; remove records/{path.name} to have it made again") from error


def stale(plan: Plan, store: Store, ids: list[str]) -> list[str]:
    """Labels of finished stages whose source has changed since they were made."""
    stages = [plan.stages[id_] for id_ in ids if store.finished(plan.stages[id_].spec)]
    return sorted(stage.label for stage in stages if store.digest(stage.spec) not in (stage.digest, None))


def scrub(text: str) -> str:
    """Text without absolute paths: cut down to the part below the source tree or the packages."""
    for root in (Path(__file__).parent.parent.parent, Path.cwd(), *sorted(map(Path, sys.path), reverse=True)):
        if root.is_absolute() and len(root.parts) > 1:
            text = text.replace(f"{root}{os.sep}", "")
    return re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+([\w.+-]+)", r"\1", text)


def _artifacts(finished: dict[str, Finished]) -> dict[str, str]:
    hashes = {}
    for kind, item in sorted(finished.items()):
        media = {entry["path"] for entry in item.result.media}
        for name, sha in item.artifact_hashes.items():
            if name not in media and kind != "time":
                hashes[f"{kind}/{name}"] = sha
    return hashes


def _link(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with files.beside(target) as part:
        try:
            os.link(source, part)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(source, part)


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
