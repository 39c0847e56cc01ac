"""Finished stages on disk: published by one rename, verified, never overwritten.

<run>/stages/<kind>/<id>/{spec.json, result.json, artifacts/...}   finished stages
<run>/scratch/<id>/                                               training checkpoints, survive a kill
<run>/failures/<id>.json                                          the last failure of an unfinished stage
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mfbench import files
from mfbench.bench.stage import Parent, Stage, StageResult, StageSpec
from mfbench.errors import CorruptError

SCHEMA = 1
TEMPORARY = ".tmp-"


class MissingParentError(RuntimeError):
    """A stage cannot run because one that it needs failed."""


@dataclass(frozen=True)
class Failure:
    """Why a stage is not there."""

    stage: str
    type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Finished:
    """A published stage as `result.json` describes it."""

    folder: Path
    result: StageResult
    artifacts: dict[str, dict[str, Any]]
    digest: str
    run: dict[str, Any]

    @property
    def artifact_hashes(self) -> dict[str, str]:
        """Relative path -> sha256."""
        return {name: str(entry["sha256"]) for name, entry in self.artifacts.items()}


class Store:
    """The stages of one run folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, spec: StageSpec) -> Path:
        """Where a stage is published."""
        return self.root / "stages" / spec.kind / spec.id

    def scratch(self, spec: StageSpec) -> Path:
        """A folder that survives a kill of the stage."""
        return self.root / "scratch" / spec.id

    def finished(self, spec: StageSpec) -> bool:
        """Whether the stage has been published (one look at the disk)."""
        return (self.folder(spec) / "result.json").is_file()

    def begin(self, spec: StageSpec) -> Path:
        """An empty temporary folder beside the final one; artifacts go into its `artifacts`."""
        final = self.folder(spec)
        temporary = final.parent / f"{TEMPORARY}{spec.id}-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        (temporary / "artifacts").mkdir(parents=True)
        self.scratch(spec).mkdir(parents=True, exist_ok=True)
        return temporary

    def publish(self, stage: Stage, temporary: Path, result: StageResult, run: dict[str, Any]) -> None:
        """Make a stage finished: write its description, flush everything, rename once."""
        artifacts = {name: _fingerprint(path) for name, path in _files(temporary / "artifacts")}
        write_json(temporary / "spec.json", stage.to_json())
        written = {
            "schema": SCHEMA,
            "id": stage.id,
            "digest": stage.digest,
            **asdict(result),
            "artifacts": artifacts,
            "run": run,
        }
        write_json(temporary / "result.json", written)
        for _, path in _files(temporary):
            _flush(path)
        final = self.folder(stage.spec)
        if not final.exists():
            temporary.rename(final)
            _flush(final.parent)
        else:
            shutil.rmtree(temporary)
        shutil.rmtree(self.scratch(stage.spec), ignore_errors=True)
        self._failure_path(stage.id).unlink(missing_ok=True)

    def read(self, spec: StageSpec) -> Finished:
        """A finished stage; its files are there with the sizes they were published with.

        Raises:
            CorruptError: if anything is missing, of another size, or not JSON.
        """
        return self._read(self.folder(spec), spec.id)

    def digest(self, spec: StageSpec) -> str | None:
        """The source digest that a finished stage was made with; None where it is damaged."""
        try:
            return self.read(spec).digest
        except CorruptError:
            return None

    def parent(self, kind: str, id_: str) -> Parent:
        """A finished stage for use by a later one, with the hash of every file checked.

        Raises:
            MissingParentError: if the stage was never finished.
            CorruptError: if it no longer is what was published.
        """
        folder = self.root / "stages" / kind / id_
        if not (folder / "result.json").is_file():
            raise MissingParentError(f"the {kind} stage {id_}, which this stage needs, did not finish")
        finished = self._read(folder, id_)
        for name, entry in finished.artifacts.items():
            if _fingerprint(folder / "artifacts" / name)["sha256"] != entry["sha256"]:
                raise self._corrupt(folder, f"the content of {name} has changed since publication")
        return Parent(self.stage(folder).spec, folder / "artifacts", finished.result)

    def stage(self, folder: Path) -> Stage:
        """What a published folder is the result of.

        Raises:
            CorruptError: where that cannot be read.
        """
        try:
            return Stage.from_json(json.loads((folder / "spec.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._corrupt(
                folder, f"spec.json is unreadable ({type(error).__name__}: {error})"
            ) from error

    def _read(self, folder: Path, id_: str) -> Finished:
        try:
            written = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            if written["schema"] != SCHEMA or written["id"] != id_:
                raise self._corrupt(folder, f"schema {written['schema']} or id {written['id']} do not fit")
            result = StageResult(written["values"], written["metrics"], written["media"])
            finished = Finished(folder, result, written["artifacts"], written["digest"], written["run"])
            media = [str(entry["path"]) for entry in result.media]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._corrupt(
                folder, f"result.json is unreadable ({type(error).__name__}: {error})"
            ) from error
        for name in media:
            if name not in finished.artifacts:
                raise self._corrupt(folder, f"the media path {name!r} is none of its artifacts")
        inside = (folder / "artifacts").resolve()
        for name, entry in finished.artifacts.items():
            path = folder / "artifacts" / name
            if path.resolve() != inside / name:
                raise self._corrupt(folder, f"the artifact {name!r} leads out of it")
            size = path.stat().st_size if path.is_file() else None
            if size != entry["bytes"]:
                found = "is missing" if size is None else f"has {size} bytes"
                raise self._corrupt(folder, f"{name} {found}, published were {entry['bytes']}")
        return finished

    def adopt(self, spec: StageSpec, other: Store) -> None:
        """Publish another run's finished stage here, its files linked where the file system allows it.

        Raises:
            CorruptError: if it is damaged there.
        """
        source, final = other.read(spec).folder, self.folder(spec)
        temporary = final.parent / f"{TEMPORARY}{spec.id}-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            shutil.copytree(source, temporary, copy_function=os.link)
        except OSError:  # another file system, or one without hard links
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(source, temporary)
        temporary.rename(final)

    def fail(self, failure: Failure) -> None:
        """Remember why a stage failed, and drop what it had left."""
        for folder in self.root.glob(f"stages/*/{TEMPORARY}{failure.stage}-*"):
            shutil.rmtree(folder, ignore_errors=True)
        path = self._failure_path(failure.stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(failure))

    def failure(self, id_: str) -> Failure | None:
        """Why a stage failed at the last attempt, if it did."""
        path = self._failure_path(id_)
        return Failure(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def clean(self) -> None:
        """Remove what a killed run left; call with the lock held. Checkpoints in scratch stay."""
        for folder in self.root.glob(f"stages/*/{TEMPORARY}*"):
            if folder.is_dir() and not folder.is_symlink():  # anything else is not of a stage
                shutil.rmtree(folder)

    def forget(self) -> None:
        """Drop the logs and failures of the last run, before a new one works."""
        shutil.rmtree(self.root / "jobs", ignore_errors=True)
        shutil.rmtree(self.root / "failures", ignore_errors=True)

    def _failure_path(self, id_: str) -> Path:
        return self.root / "failures" / f"{id_}.json"

    def _corrupt(self, folder: Path, what: str) -> CorruptError:
        where = folder.relative_to(self.root.parent)
        return CorruptError(f"corrupt result {where}: {what}; remove that folder to have it made again")


def write_json(path: Path, value: object) -> None:
    """Write JSON with sorted keys, replacing the file in one step."""
    files.write(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
