"""Which clips the page embeds: real first, then medians, best and worst, until the page is full."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from mfbench.report import style
from mfbench.report.document import Clip, Clips, Note, Section, Text
from mfbench.report.html import MEDIA_TYPES
from mfbench.report.load import Cell, Media, Study

SHOWN_STEPS = 4
ROLES = ("best", "median", "worst")
_PREFERENCE = ("median", "best", "worst")


def gallery(study: Study, bytes_left: int) -> Section:
    """Clips with sound within a budget of `bytes_left` characters of base64."""
    chosen = _choose(study, bytes_left)
    total = sum(1 for cell in study.cells for media in cell.media if _usable(media))
    if not chosen:
        why = "no clips were kept" if total == 0 else "the clips do not fit into the page"
        return Section("gallery", "Gallery", (Note(f"Not shown: {why}."),))
    shown = sum(map(len, chosen.values()))
    lead = Text(
        "Play with sound. Best, median and worst of a cell are chosen by a per-clip stand-in for the "
        f"headline metric, not by eye. Shown: {shown} of {total} kept clips."
    )
    return Section("gallery", "Gallery", (lead, *_groups(study, chosen)))


def _groups(study: Study, chosen: dict[str, list[Media]]) -> Iterator[Clips]:
    """The anchors, every method near `SHOWN_STEPS`, then one row per method of medians over steps."""
    looks = style.looks(study.methods)
    cells = [cell for cell in study.cells if cell.name in chosen]
    near = list(_nearest([cell for cell in cells if not cell.is_anchor]))
    for cell in [cell for cell in cells if cell.is_anchor] + near:
        items = sorted(chosen[cell.name], key=lambda media: (_rank(media.role), media.name))
        colour = looks[cell.method].colour if cell.method in looks else ""
        yield Clips(_title(cell), colour, tuple(_clip(media, media.role) for media in items))
    for method in study.methods:
        others = [cell for cell in cells if cell.method == method and cell not in near]
        row = tuple(_clip(media, _steps(cell)) for cell in others for media in chosen[cell.name])
        if row:
            yield Clips(f"{method}, median at other step counts", looks[method].colour, row)


def _choose(study: Study, bytes_left: int) -> dict[str, list[Media]]:
    chosen: dict[str, list[Media]] = {}
    for cell, media in _candidates(study):
        size = 4 * math.ceil(media.path.stat().st_size / 3) + 300
        if size <= bytes_left:
            bytes_left -= size
            chosen.setdefault(cell.name, []).append(media)
    return chosen


def _candidates(study: Study) -> Iterator[tuple[Cell, Media]]:
    """In order of worth: real, every method near `SHOWN_STEPS` by role, then medians at other step counts."""
    anchors = [cell for cell in study.cells if cell.is_anchor]
    cells = [c for c in study.cells if not c.is_anchor and c.ok and any(_usable(m) for m in c.media)]
    by_group = {(cell.method, cell.steps): cell for cell in reversed(cells)}  # the first seed of each
    first = [cell for cell in cells if by_group[cell.method, cell.steps] is cell]
    near = list(_nearest(first))
    yield from ((cell, media) for cell in anchors for media in cell.media if _usable(media))
    for role in (*_PREFERENCE, None):
        yield from _with_role(near, role)
    yield from _with_role([cell for cell in first if cell not in near], "median")


def _nearest(cells: list[Cell]) -> Iterator[Cell]:
    """Of each method the cell whose step count is nearest to `SHOWN_STEPS`."""
    for method in dict.fromkeys(cell.method for cell in cells):
        own = [cell for cell in cells if cell.method == method]
        yield min(own, key=lambda cell: (abs(math.log2((cell.steps or 1) / SHOWN_STEPS)), cell.steps or 1))


def _with_role(cells: Iterable[Cell], role: str | None) -> Iterator[tuple[Cell, Media]]:
    for cell in cells:
        for media in cell.media:
            known = media.role if media.role in ROLES else None
            if known == role and _usable(media):
                yield cell, media


def _usable(media: Media) -> bool:
    return media.path.suffix in MEDIA_TYPES and media.path.is_file()


def _rank(role: str) -> int:
    return ROLES.index(role) if role in ROLES else len(ROLES)


def _steps(cell: Cell) -> str:
    return f"{cell.steps} step{'s' if cell.steps != 1 else ''}"


def _title(cell: Cell) -> str:
    if cell.is_anchor:
        return "Real clips" if cell.method == "real" else "Null: mismatched pairs"
    return f"{cell.method}, {_steps(cell)}"


def _clip(media: Media, role: str) -> Clip:
    caption = media.caption or (f"clip {media.clip}" if media.clip else "")
    return Clip(media.path.read_bytes(), media.path.suffix, role, caption)
