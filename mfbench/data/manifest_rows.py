"""Rows of a manifest, each with the file and line it came from."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mfbench.errors import UserError


class ManifestError(UserError):
    """A list of clips that cannot be used; the text begins with file:line."""


@dataclass(frozen=True)
class Row:
    """One clip as written.

    Attributes:
        where: file:line, where it begins; for parquet the line is the row's number.
        values: by column; cells of csv and tsv are text.
    """

    where: str
    values: dict[str, object]


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a csv, tsv, json (a list of objects), jsonl or parquet file, in their order.

    Raises:
        ManifestError: no such file, another format, or a row that breaks it, with its line.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ManifestError(f"{path}:1: a manifest is one of {', '.join(READERS)}; got {path.suffix!r}")
    if not path.is_file():
        raise ManifestError(f"{path}:1: there is no such manifest; check the path")
    return reader(path)


def text_of(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises:
        ManifestError: unreadable, or other bytes than UTF-8, with their line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}:1: cannot be read ({error}); check its permissions") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ManifestError(f"{path}:{line}: is not UTF-8 text ({error.reason}); save it as UTF-8") from error


def json_object(path: Path) -> Row:
    """The fields of a json file that holds one object.

    Raises:
        ManifestError: not json, or no object.
    """
    text = text_of(path)
    start = len(text) - len(text.lstrip())
    row, end = _decoded(path, text, start)
    if text[end:].strip():
        raise ManifestError(f"{path}:{_line(text, end)}: something follows the object; give one object")
    return row


def _separated(path: Path, delimiter: str) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text_of(path), newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    before = 0
    try:
        for cells in lines:
            where, before = f"{path}:{before + 1}", lines.line_num
            if not cells:
                continue
            if header is None:
                header = _header(cells, where)
                continue
            if len(cells) != len(header):
                raise ManifestError(
                    f"{where}: {len(cells)} cells under {len(header)} columns; quote cells that hold "
                    "separators or line breaks"
                )
            yield Row(where, {name: cell for name, cell in zip(header, cells, strict=True) if cell.strip()})
    except csv.Error as error:
        raise ManifestError(f"{path}:{max(lines.line_num, 1)}: {error}") from error


def _header(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not all(names):
        what = f"column {twice[0]!r} stands twice" if twice else "a column has no name"
        raise ManifestError(f"{where}: {what}; the first line names the columns, each once")
    return names


def _lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        row, end = _decoded(path, line.strip(), 0, number)
        if end != len(line.strip()):
            raise ManifestError(f"{path}:{number}: something follows the object; one object a line")
        yield row


def _array(path: Path) -> Iterator[Row]:
    text = text_of(path)
    at = _skipped(text, 0)
    if text[at : at + 1] != "[":
        raise ManifestError(f"{path}:{_line(text, at)}: a json manifest is a list [...] of objects {{...}}")
    at = _skipped(text, at + 1)
    while text[at : at + 1] != "]":
        row, at = _decoded(path, text, at)
        yield row
        at = _skipped(text, at)
        if text[at : at + 1] == ",":
            at = _skipped(text, at + 1)
        elif text[at : at + 1] != "]":
            raise ManifestError(f"{path}:{_line(text, at)}: expected ',' or ']' after an object")


def _decoded(path: Path, text: str, at: int, line: int | None = None) -> tuple[Row, int]:
    """The object that begins at a place of the text, and where it ends."""
    where = f"{path}:{line or _line(text, at)}"
    try:
        values, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}:{line or error.lineno}: is no json: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where}: is no usable json: {error}") from error
    if not isinstance(values, dict):
        raise ManifestError(f"{where}: expected an object {{...}}, got {type(values).__name__}")
    return Row(where, {name: value for name, value in values.items() if value not in (None, "")}), end


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"{name!r} stands twice")
        values[name] = value
    return values


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number of json")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _parquet(path: Path) -> Iterator[Row]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ManifestError(f"{path}:1: reading parquet needs pyarrow; pip install pyarrow") from error
    try:
        rows: list[dict[str, object]] = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's own errors are kinds of these
        raise ManifestError(f"{path}:1: is no parquet: {error}") from error
    for number, values in enumerate(rows, start=1):
        yield Row(f"{path}:{number}", {k: v for k, v in values.items() if v not in (None, "")})


READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": lambda path: _separated(path, ","),
    ".tsv": lambda path: _separated(path, "\t"),
    ".json": _array,
    ".jsonl": _lines,
    ".parquet": _parquet,
}
