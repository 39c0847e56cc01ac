"""What a page consists of, free of any format; `html` and `markdown` render the same blocks.

Inline markup in texts: `code` in backticks and **strong** in double asterisks, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Note:
    """A remark set apart: something not measured, or a warning."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Preformatted text."""

    text: str


@dataclass(frozen=True)
class Column:
    """A table column: its name, a small second line, and a hint on hover."""

    name: str
    note: str = ""
    hint: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Value:
    """A table field: main text, small print below, and emphasis."""

    text: str
    note: str = ""
    best: bool = False
    top: bool = False
    colour: str = ""


@dataclass(frozen=True)
class Table:
    """Groups of rows under one header; a group's title spans the table."""

    columns: tuple[Column, ...]
    groups: tuple[tuple[str, tuple[tuple[Value, ...], ...]], ...]


@dataclass(frozen=True)
class Figure:
    """An SVG figure with the name of its file."""

    name: str
    svg: str
    alt: str
    large: bool = False


@dataclass(frozen=True)
class Figures:
    """A grid of figures, below the common legend if they show methods."""

    items: tuple[Figure, ...]
    legend: bool = True


@dataclass(frozen=True)
class Clip:
    """A playable or visible file, embedded."""

    data: bytes
    suffix: str
    role: str
    caption: str


@dataclass(frozen=True)
class Clips:
    """Clips of one cell."""

    title: str
    colour: str
    items: tuple[Clip, ...]


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away."""

    summary: str
    blocks: tuple[Block, ...]


Block = Text | Note | Bullets | Code | Table | Figures | Clips | Details


@dataclass(frozen=True)
class Section:
    """A part of the page with an anchor."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """The whole report; `legend` names each method's colour and marker."""

    title: str
    lede: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    methods: tuple[str, ...]


def figures_of(page: Page) -> tuple[Figure, ...]:
    """Every figure of a page, also folded ones."""

    def walk(blocks: tuple[Block, ...]) -> list[Figure]:
        found: list[Figure] = []
        for block in blocks:
            if isinstance(block, Figures):
                found += block.items
            elif isinstance(block, Details):
                found += walk(block.blocks)
        return found

    return tuple(figure for section in page.sections for figure in walk(section.blocks))
