"""A page as the files that it is kept in."""

from __future__ import annotations

from mfbench.report import figures, html, markdown
from mfbench.report.document import Page, figures_of


def page_files(page: Page) -> dict[str, str]:
    """A page, its Markdown version, and the figures of that as files of their own: name => content."""
    drawn = {f"figures/{figure.name}.svg": figure.svg for figure in figures_of(page)}
    return {
        "figures/legend.svg": figures.legend_figure(page.methods),
        **drawn,
        "index.md": markdown.render(page),
        "index.html": html.render(page),
    }
