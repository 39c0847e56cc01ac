"""The look of figures: colours and markers by method, and a deterministic way to SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Okabe and Ito's colour-blind safe set without its yellow, then four that stay apart from them.
COLOURS = (
    "#d55e00",
    "#0072b2",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7f5539",
    "#6a4c93",
    "#8ac926",
    "#1b998b",
    "#c1121f",
    "#495057",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
INK, MUTED, GRID = "#1f2430", "#6b7280", "#e5e7eb"
REAL, NULL = "#111827", "#9ca3af"
PANEL_IN = (4.6, 3.2)
LARGE_IN = (5.2, 3.9)
WEB_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

RC: dict[Any, Any] = {
    "svg.hashsalt": "mfbench",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#c4c9d1",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "figure.facecolor": "white",
    "legend.frameon": False,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn everywhere."""

    colour: str
    marker: str


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """A look per method, by its place in the experiment; colours repeat with another marker."""
    return {
        name: Look(COLOURS[i % len(COLOURS)], MARKERS[(i + i // len(COLOURS)) % len(MARKERS)])
        for i, name in enumerate(methods)
    }


@contextmanager
def panel(
    title: str, x_label: str, unit: str = "", left: float = 0.115, size_in: tuple[float, float] = PANEL_IN
) -> Iterator[tuple[Figure, Axes]]:
    """A figure of one axes in the house style, `left` its margin; convert with `svg` inside the block.

    Margins are fixed: panels side by side line up, and drawing takes half the time of a layout engine.
    """
    with mpl.rc_context(RC):
        figure = Figure(figsize=size_in)
        figure.subplots_adjust(left=left, right=0.98, bottom=0.16, top=0.9)
        axes = figure.subplots()
        axes.set_title(title)
        axes.set_xlabel(x_label)
        if unit:
            axes.set_title(f"[{unit}]", loc="right", fontsize=9, fontweight="normal", color=MUTED)
        yield figure, axes


def svg(figure: Figure) -> str:
    """The figure as SVG text without a date; text stays text, in the reader's own sans-serif font."""
    buffer = io.StringIO()
    canvas = FigureCanvasSVG(figure)  # directly, as `savefig` draws everything twice
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = buffer.getvalue()
    text = re.sub(r"'DejaVu Sans'(, [^;\"]*?sans-serif)?", WEB_FONTS, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
