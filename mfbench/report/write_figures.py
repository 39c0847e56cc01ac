"""The figures of a page as files of their own, for its Markdown version."""

from __future__ import annotations

from pathlib import Path

from mfbench.report import figures
from mfbench.report.document import Page, figures_of


def write_figures(page: Page, folder: Path) -> None:
    """One file per figure; figures of an earlier report go."""
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.svg"):
        stale.unlink()
    (folder / "legend.svg").write_text(figures.legend_figure(page.methods), encoding="utf-8")
    for figure in figures_of(page):
        (folder / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
