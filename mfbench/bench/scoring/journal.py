"""Results of films as they come in, so that a `score` that was killed reads only what is left.

One JSON line per film, appended and flushed; a half line at the end is what a kill left and is passed over.
A key covers all that a result follows from, so a film that has changed is read again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mfbench import files, provenance
from mfbench.bench.scoring.full_read import Answer
from mfbench.bench.scoring.piece import Features, FilmResult, Piece
from mfbench.data.manifest import ClipEntry
from mfbench.sources import closure, digest, modules_below

Json = dict[str, Any]
Found = TypeVar("Found")


class Journal:
    """The results in one file, by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: dict[str, Json] = {}
        self.used: set[str] = set()
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        self.begun = "" if text.endswith("\n") or not text else "\n"  # ends the half line of a kill
        for line in text.splitlines():
            try:
                written = json.loads(line)
                self.kept[str(written["key"])] = dict(written["result"])
            except (ValueError, KeyError, TypeError):
                continue  # half a line

    def film(self, key: str) -> FilmResult | None:
        """The result of a film, None where it was not read or cannot be made out."""
        return self._found(key, _film)

    def answer(self, key: str) -> Answer | None:
        """The answer of an adapter, None where there is none or it cannot be made out."""
        return self._found(key, _answer)

    def _found(self, key: str, decode: Callable[[Json], Found]) -> Found | None:
        self.used.add(key)
        try:
            return decode(self.kept[key])
        except (ValueError, KeyError, TypeError):
            return None

    def add(self, key: str, result: FilmResult | Answer) -> None:
        """Append a result, in one write."""
        found = _of_film(result) if isinstance(result, FilmResult) else _of_answer(result)
        self.kept[key] = found
        with self.path.open("ab", buffering=0) as file:
            file.write((self.begun + _line(key, found)).encode("ascii"))
        self.begun = ""

    def forget_unused(self) -> None:
        """Drop results that were neither asked for nor added."""
        if not set(self.kept) <= self.used:
            self.kept = {key: found for key, found in self.kept.items() if key in self.used}
            files.write(self.path, "".join(_line(key, found) for key, found in self.kept.items()))


def _line(key: str, found: Json) -> str:
    return json.dumps({"key": key, "result": found}) + "\n"


def key(entry: ClipEntry, root: Path, *conditions: object) -> str:
    """Of a film's result: what was asked, its files as they are now, and what it is read with."""
    media = [
        identity(path) for path in (entry.video, entry.audio, entry.target, entry.reference_image) if path
    ]
    text = repr((entry, str(root), media, conditions, source(), sorted(provenance.packages().items())))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def identity(path: Path) -> tuple[str, int, int]:
    """Tells whether a file is the same as before without reading it: name, bytes, time of change."""
    try:
        found = path.stat()
    except OSError:
        return str(path), -1, -1
    return str(path), found.st_size, found.st_mtime_ns


@cache
def source() -> str:
    """Digest of the code that reads films."""
    modules = [
        "mfbench.bench.scoring.folder",
        "mfbench.bench.scoring.full_tier",
        *modules_below("mfbench.metrics"),
    ]
    return digest(closure(modules, ("mfbench",), lambda _: False))


def _of_film(result: FilmResult) -> Json:
    return {
        "id": result.id,
        "file": result.file,
        "status": result.status,
        "reason": result.reason,
        "seconds": result.seconds,
        "is_character": result.is_character,
        "pieces": _of_pieces(result.pieces),
        "features": _of_arrays(result.features.points),
        "facts": result.facts,
        "notes": list(result.notes),
    }


def _film(found: Json) -> FilmResult:
    return FilmResult(
        id=found["id"],
        file=found["file"],
        status=found["status"],
        reason=found["reason"],
        seconds=found["seconds"],
        is_character=found["is_character"],
        pieces=_pieces(found["pieces"]),
        features=Features(_arrays(found["features"])),
        facts=found["facts"],
        notes=tuple(found["notes"]),
    )


def _of_answer(result: Answer) -> Json:
    return {
        "pieces": _of_pieces(result.pieces),
        "features": _of_arrays(result.features),
        "missing": _of_pieces(result.missing),
        "notes": list(result.notes),
    }


def _answer(found: Json) -> Answer:
    notes = tuple(found["notes"])
    return Answer(_pieces(found["pieces"]), _arrays(found["features"]), _pieces(found["missing"]), notes)


def _of_pieces(pieces: Mapping[str, Piece]) -> Json:
    return {
        n: [p.status, float(p.numerator), float(p.denominator), p.reason, p.root] for n, p in pieces.items()
    }


def _pieces(found: Json) -> dict[str, Piece]:
    return {name: Piece(*values) for name, values in found.items()}


def _of_arrays(arrays: Mapping[str, NDArray[Any]]) -> Json:
    return {
        name: [
            str(a.dtype),
            list(a.shape),
            base64.b64encode(np.ascontiguousarray(a).tobytes()).decode("ascii"),
        ]
        for name, a in arrays.items()
    }


def _arrays(found: Json) -> dict[str, NDArray[Any]]:
    return {
        name: np.frombuffer(base64.b64decode(data), np.dtype(kind)).reshape(shape)
        for name, (kind, shape, data) in found.items()
    }
