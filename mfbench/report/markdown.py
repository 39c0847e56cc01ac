"""The same page as Markdown, with figures as files beside it; clips are in the HTML page only."""

from __future__ import annotations

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
    lines = [f"# {page.title}", "", page.lede, ""]
    lines += ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in page.facts), ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        if any(isinstance(block, Clips) for block in section.blocks):
            lines += ["The clips, with sound, are in [index.html](index.html).", ""]
        for block in section.blocks:
            lines += _block(block)
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Text(text):
            return [text, ""]
        case Note(text):
            return [f"> {text}", ""]
        case Bullets(items):
            return [*(f"- {item}" for item in items), ""]
        case Code(text):
            return ["```", text.rstrip("\n"), "```", ""]
        case Table():
            return _table(block)
        case Figures(items, legend):
            above = ["![legend](figures/legend.svg)", ""] if legend else []
            return [*above, *(f"![{item.alt}](figures/{item.name}.svg)" for item in items), ""]
        case Clips():
            return []
        case Details(summary, blocks):
            inner = [line for item in blocks for line in _block(item)]
            return [f"<details><summary>{summary.replace('`', '')}</summary>", "", *inner, "</details>", ""]


def _table(table: Table) -> list[str]:
    heads = [" ".join(part for part in (c.name, c.note) if part) for c in table.columns]
    grouped = any(title for title, _ in table.groups)
    rules = ["---:" if c.numeric else "---" for c in table.columns]
    lines = [_line([""] * grouped + heads), _line(["---"] * grouped + rules)]
    for title, rows in table.groups:
        for row in rows:
            lines.append(_line([title] * grouped + [_field(value) for value in row]))
    return [*lines, ""]


def _line(fields: list[str]) -> str:
    return "| " + " | ".join(field.replace("|", "\\|").replace("\n", " ") for field in fields) + " |"


def _field(value: Value) -> str:
    text = f"**{value.text}**" if value.best and value.text else value.text
    return f"{text} {value.note}".strip()
