"""From run folders to the files of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfbench.report import appendix, claims, html, inputs, markdown, results, tables
from mfbench.report.compare import compare
from mfbench.report.cost import cost
from mfbench.report.document import Page, Section
from mfbench.report.estimates import Estimates
from mfbench.report.gallery import gallery
from mfbench.report.health import health
from mfbench.report.judge_card import judge_card
from mfbench.report.latency import latency
from mfbench.report.load import Study, load
from mfbench.report.rankings import rankings
from mfbench.report.starts import starts
from mfbench.report.write_figures import write_figures

PAGE_BYTES = 4_900_000  # committed reports stay below 5 MB
LEDE = (
    "Audio-video generators that speak chunk by chunk, trained alike and measured alike: what does each keep "
    "of its quality when it may take only a few denoising steps, and what does it cost?"
)


def build(run_dirs: Sequence[Path], out_dir: Path) -> Path:
    """Write the page, its figures and tables, and `claims.json` where claims are asked for.

    Returns `index.html`; beside it lie `index.md`, `figures/`, `cells.csv` and `comparisons.csv`.

    The files are the same, byte by byte, for the same records; a report that is still current is left alone.

    Raises:
        RecordError: where a record is broken, or where there is none.
    """
    wanted = inputs.key(run_dirs, out_dir)
    if inputs.is_current(out_dir, wanted):
        return out_dir / "index.html"
    study = load(run_dirs)
    estimates = Estimates(study)
    comparisons = compare(study, estimates)
    started = starts(study, estimates, results.compared(study, estimates))
    ranked = rankings(study, estimates, *results.axes(study, estimates))
    verdicts, healthy = claims.rows(study, estimates), health(study)
    sections = (
        appendix.overview(study, estimates),
        *((claims.section(estimates, verdicts),) if verdicts else ()),
        results.headline(study, estimates),
        results.differences(study, estimates, comparisons),
        *((started,) if started else ()),
        results.quality(study, estimates),
        latency(study, estimates),
        *((ranked,) if ranked else ()),
        results.sync(study, estimates),
        results.drifts(study, estimates),
        cost(study, estimates),
        *((healthy,) if healthy else ()),
        appendix.codec_floors(study),
        judge_card((*run_dirs, out_dir)),
        appendix.failures(study),
        appendix.provenance(study),
    )
    page = _page(study, estimates, sections)
    shown = gallery(study, PAGE_BYTES - len(html.render(page).encode()))
    place = next(index for index, section in enumerate(sections) if section.anchor == "codecs")
    page = _page(study, estimates, (*sections[:place], shown, *sections[place:]))
    out_dir.mkdir(parents=True, exist_ok=True)
    tables.write_csv(tables.cells_table(study, estimates), out_dir / "cells.csv")
    tables.write_csv(tables.comparisons_table(study, comparisons), out_dir / "comparisons.csv")
    if verdicts:
        claims.write(verdicts, out_dir / "claims.json")
    write_figures(page, out_dir / "figures")
    (out_dir / "index.md").write_text(markdown.render(page), encoding="utf-8")
    (out_dir / "index.html").write_text(html.render(page), encoding="utf-8")
    inputs.remember(out_dir, wanted)
    return out_dir / "index.html"


def _page(study: Study, estimates: Estimates, sections: tuple[Section, ...]) -> Page:
    title = str(study.report.get("title") or f"mfbench: {study.name}")
    return Page(title, LEDE, appendix.facts(study, estimates), sections, study.methods)
