"""The same page as Markdown, with figures as files beside it; clips are in the HTML page only."""

from __future__ import annotations

import re

from mfbench.report.document import (
    Block,
    Bullets,
    Clips,
    Code,
    Details,
    Figures,
    Note,
    Page,
    Table,
    Text,
    Value,
)


def render(page: Page) -> str:
    """The whole file."""
    lines = [f"# {_inline(page.title)}", "", _inline(page.lede), ""]
    lines += ["| | |", "|---|---|", *(_line([_inline(key), _inline(value)]) for key, value in page.facts), ""]
    for section in page.sections:
        lines += [f"## {_inline(section.title)}", ""]
        if any(isinstance(block, Clips) for block in section.blocks):
            lines += ["The clips, with sound, are in [index.html](index.html).", ""]
        for block in section.blocks:
            lines += _block(block)
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Text(text):
            return [_inline(text), ""]
        case Note(text):
            return [f"> {_inline(text)}", ""]
        case Bullets(items):
            return [*(f"- {_inline(item)}" for item in items), ""]
        case Code(text):
            return _code(text)
        case Table():
            return _table(block)
        case Figures(items, legend):
            above = ["![legend](figures/legend.svg)", ""] if legend else []
            return [*above, *(f"![{_inline(item.alt)}](figures/{item.name}.svg)" for item in items), ""]
        case Clips():
            return []
        case Details(summary, blocks):
            inner = [line for item in blocks for line in _block(item)]
            title = _inline(summary.replace("`", ""))
            return [f"<details><summary>{title}</summary>", "", *inner, "</details>", ""]


def _table(table: Table) -> list[str]:
    heads = [_inline(" ".join(part for part in (c.name, c.note) if part)) for c in table.columns]
    grouped = any(title for title, _ in table.groups)
    rules = ["---:" if c.numeric else "---" for c in table.columns]
    lines = [_line([""] * grouped + heads), _line(["---"] * grouped + rules)]
    for title, rows in table.groups:
        for row in rows:
            lines.append(_line([_inline(title)] * grouped + [_field(value) for value in row]))
    return [*lines, ""]


def _line(fields: list[str]) -> str:
    return "| " + " | ".join(field.replace("|", "\\|").replace("\n", " ") for field in fields) + " |"


def _field(value: Value) -> str:
    text = f"**{_inline(value.text)}**" if value.best and value.text else _inline(value.text)
    return f"{text} {_inline(value.note)}".strip()


def _inline(text: str) -> str:
    """A text on one line whose only marks are those of `document`: names of files and methods are data.

    What is in backticks is code to Markdown, where nothing has to be escaped and nothing may be.
    """
    line = " ".join(text.splitlines())
    parts = re.split(r"(`[^`]+`)", line)
    return "".join(part if index % 2 else _escape(part) for index, part in enumerate(parts))


def _escape(text: str) -> str:
    """Without HTML, links, pictures, or marks other than two asterisks on both sides."""
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\\|`|\[(?=[^\]]*\]\()|!(?=\[)", lambda found: f"\\{found.group()}", shown)


def _code(text: str) -> list[str]:
    """Between fences that are longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, text.rstrip("\n"), fence, ""]
