"""A page as one HTML file: figures and clips embedded, no script, nothing fetched."""

from __future__ import annotations

import base64
import html
import re

from mfbench.report import style
from mfbench.report.document import (
    Block,
    Bullets,
    Clip,
    Clips,
    Code,
    Column,
    Details,
    Figure,
    Figures,
    Note,
    Page,
    Section,
    Table,
    Text,
    Value,
)
from mfbench.report.stylesheet import CSS

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
_MARKERS = {
    "o": '<circle cx="13" cy="6" r="4"/>',
    "s": '<rect x="9.4" y="2.4" width="7.2" height="7.2"/>',
    "^": '<path d="M13 1.5 17.4 9.7H8.6z"/>',
    "v": '<path d="M13 10.5 8.6 2.3h8.8z"/>',
    "D": '<path d="M13 1 18 6 13 11 8 6z"/>',
}


def render(page: Page) -> str:
    """The whole file."""
    legend = _legend(page)
    links = "".join(f'<a href="#{s.anchor}">{_escape(s.title)}</a>' for s in page.sections)
    facts = "".join(f"<div><dt>{_escape(k)}</dt><dd>{_escape(v)}</dd></div>" for k, v in page.facts)
    body = "\n".join(section(item, legend) for item in page.sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escape(page.title)}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
        f"<header><h1>{_escape(page.title)}</h1><p class=lede>{_inline(page.lede)}</p>"
        f"<dl class=facts>{facts}</dl></header>\n"
        f"<nav>{links}</nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def section(item: Section, legend: str) -> str:
    """One section."""
    blocks = "\n".join(_block(block, legend) for block in item.blocks)
    return f'<section id="{item.anchor}">\n<h2>{_escape(item.title)}</h2>\n{blocks}\n</section>'


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


def _inline(text: str) -> str:
    """Escape, then render the two inline marks."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)


def _block(block: Block, legend: str) -> str:
    match block:
        case Text(text):
            return f"<p>{_inline(text)}</p>"
        case Note(text, warning):
            return f'<p class="note{" warning" if warning else ""}">{_inline(text)}</p>'
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"
        case Code(text):
            return f"<pre><code>{_escape(text)}</code></pre>"
        case Table():
            return _table(block)
        case Figures(items, with_legend):
            grid = "\n".join(_figure(item) for item in items)
            return f"{legend if with_legend else ''}<div class=figures>\n{grid}\n</div>"
        case Clips():
            return _clips(block)
        case Details(summary, blocks):
            inner = "\n".join(_block(item, legend) for item in blocks)
            return f"<details><summary>{_inline(summary)}</summary>\n{inner}\n</details>"


def _table(table: Table) -> str:
    heads = "".join(_head(column) for column in table.columns)
    width = len(table.columns)
    parts = []
    for title, rows in table.groups:
        head = f'<tr class=group><th colspan="{width}"><span>{_escape(title)}</span></th></tr>'
        body = "\n".join(_row(row, table) for row in rows)
        parts.append(f"<tbody>{head if title else ''}\n{body}</tbody>")
    inner = f"<thead><tr>{heads}</tr></thead>{''.join(parts)}"
    return f"<div class=scroll tabindex=0><table>{inner}</table></div>"


def _head(column: Column) -> str:
    kind = "" if column.numeric else " class=text"
    hint = f' title="{_escape(column.hint)}"' if column.hint else ""
    return f'<th scope="col"{kind}{hint}>{_escape(column.name)}<small>{_escape(column.note)}</small></th>'


def _row(row: tuple[Value, ...], table: Table) -> str:
    fields = []
    for index, (value, column) in enumerate(zip(row, table.columns, strict=True)):
        flags = {"best": value.best, "top": value.top, "text": not column.numeric}
        names = [name for name, on in flags.items() if on]
        attribute = f' class="{" ".join(names)}"' if names else ""
        dot = f'<i class=dot style="background:{value.colour}"></i>' if value.colour else ""
        note = f"<small>{_escape(value.note)}</small>" if value.note else ""
        kind = 'th scope="row"' if index == 0 else "td"
        text = _breakable(_inline(value.text)) if index == 0 else _inline(value.text)
        fields.append(f"<{kind}{attribute}>{dot}{text}{note}</{kind[:2]}>")
    return f"<tr>{''.join(fields)}</tr>"


def _breakable(text: str) -> str:
    """Let a narrow screen break `CamelCase` names between their words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "<wbr>", text)


def _figure(figure: Figure) -> str:
    data = base64.b64encode(figure.svg.encode()).decode()
    kind = "figure large" if figure.large else "figure"
    return f'<img class="{kind}" alt="{_escape(figure.alt)}" src="data:image/svg+xml;base64,{data}">'


def _clips(block: Clips) -> str:
    dot = f'<i class=dot style="background:{block.colour}"></i>' if block.colour else ""
    items = "\n".join(_clip(item) for item in block.items)
    return f"<div class=cell><h3>{dot}{_escape(block.title)}</h3><div class=clips>\n{items}\n</div></div>"


def _clip(clip: Clip) -> str:
    kind = MEDIA_TYPES[clip.suffix]
    source = f"data:{kind};base64,{base64.b64encode(clip.data).decode()}"
    label = _escape(clip.caption or clip.role)
    if kind.startswith("image"):
        shown = f'<img alt="{label}" src="{source}">'
    else:
        tag = kind.partition("/")[0]
        shown = f'<{tag} controls playsinline preload="metadata" aria-label="{label}" src="{source}"></{tag}>'
    role = f"<b>{_escape(clip.role)}</b> " if clip.role else ""
    return f"<figure>{shown}<figcaption>{role}{_escape(clip.caption)}</figcaption></figure>"


def _legend(page: Page) -> str:
    looks = style.looks(page.methods)
    items = "".join(f"<span>{_swatch(look)}{_escape(name)}</span>" for name, look in looks.items())
    real = f'<path d="M0 6h26" stroke="{style.REAL}" stroke-width="1.6" stroke-dasharray="5 3"/>'
    return f'<p class=legend>{items}<span><svg width="26" height="12">{real}</svg>real</span></p>'


def _swatch(look: style.Look) -> str:
    line = f'<path d="M0 6h26" stroke="{look.colour}" stroke-width="2"/>'
    marker = _MARKERS.get(look.marker, _MARKERS["o"])
    return f'<svg width="26" height="12" fill="{look.colour}" aria-hidden="true">{line}{marker}</svg>'
