"""Checksums of Matroska, which libav writes but does not read.

RFC 8794, section 11.3.1: the first child of an element may be a CRC-32 of all that follows in it. With it,
damage inside packets that decode to something shows, too. The other containers have nothing of the kind.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SEGMENT, CRC_32 = 0x18538067, 0xBF
CRC_BYTES = 6  # its name, its length and four bytes
LONGEST_NAME, LONGEST_SIZE = 4, 8
READ_BYTES = 2**20


@dataclass(frozen=True)
class _Element:
    """A named part of the file, its content from byte `start` on; `size` is None where it is not known."""

    name: int
    start: int
    size: int | None


def broken_checksums(path: Path, container: str) -> int:
    """Parts of a Matroska file (a second or more of sound and picture each) that do not fit their checksum.

    Args:
        path: of the file.
        container: libav's name of the format; 0 for all others.
    """
    if "matroska" not in container:
        return 0
    with path.open("rb") as file:
        end = path.stat().st_size
        return sum(_broken(file, part) for top in _elements(file, 0, end) for part in _parts(file, top, end))


def _parts(file: BinaryIO, top: _Element, end: int) -> Iterator[_Element]:
    """The children of the segment; another element at the top is its own part."""
    if top.name != SEGMENT:
        yield top
        return
    yield from _elements(file, top.start, end if top.size is None else min(top.start + top.size, end))


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[_Element]:
    """Elements one after the other, up to the first that cannot be told."""
    while start < end:
        file.seek(start)
        name, size = _number(file, LONGEST_NAME), _number(file, LONGEST_SIZE)
        if name is None or size is None:
            return
        bits = 7 * size[1]
        length = size[0] & ((1 << bits) - 1)
        known = length != (1 << bits) - 1  # all ones: not known when it was written
        element = _Element(name[0], start + name[1] + size[1], length if known else None)
        yield element
        if element.size is None:
            return
        start = element.start + element.size


def _number(file: BinaryIO, longest: int) -> tuple[int, int] | None:
    """A number with its leading marker, whose place gives the length, and that length in bytes."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first and first[0] else longest + 1
    if length > longest:
        return None
    rest = file.read(length - 1)
    return (int.from_bytes(first + rest, "big"), length) if len(rest) == length - 1 else None


def _broken(file: BinaryIO, element: _Element) -> bool:
    """Whether an element has a checksum and does not fit it."""
    if element.size is None or element.size < CRC_BYTES:
        return False
    file.seek(element.start)
    head = file.read(CRC_BYTES)
    if head[:2] != bytes((CRC_32, 0x84)) or len(head) < CRC_BYTES:
        return False
    found, left = 0, element.size - CRC_BYTES
    while left > 0 and (content := file.read(min(left, READ_BYTES))):
        found, left = zlib.crc32(content, found), left - len(content)
    return left > 0 or found != int.from_bytes(head[2:], "little")
