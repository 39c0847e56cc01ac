"""From run folders to the files of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfbench.files import OwnFolder
from mfbench.report import appendix, claims, html, inputs, results, tables
from mfbench.report.compare import compare
from mfbench.report.cost import cost
from mfbench.report.document import Page, Section
from mfbench.report.estimates import Estimates
from mfbench.report.gallery import gallery
from mfbench.report.health import health
from mfbench.report.judge_card import judge_card
from mfbench.report.latency import latency
from mfbench.report.load import Study, load
from mfbench.report.page_files import page_files
from mfbench.report.rankings import rankings
from mfbench.report.starts import starts

PAGE_BYTES = 4_900_000  # committed reports stay below 5 MB
LEDE = (
    "Audio-video generators that speak chunk by chunk, trained alike and measured alike: what does each keep "
    "of its quality when it may take only a few denoising steps, and what does it cost?"
)


def build(run_dirs: Sequence[Path], out_dir: Path, what: str = "--out") -> Path:
    """Write the page, its figures and tables, and `claims.json` where claims are asked for.

    Returns `index.html`; beside it lie `index.md`, `figures/`, `cells.csv` and `comparisons.csv`.

    The files are the same, byte by byte, for the same records; a report that is still current is left alone.

    Raises:
        RecordError: where a record is broken, or where there is none.
        UsageError: where `out_dir` holds files that are not ours, or cannot be written.
        PreflightError: where its disk is full.
    """
    roots = [folder.parent if folder.resolve().name == "records" else folder for folder in run_dirs]
    reads_itself = any(root.resolve() == out_dir.resolve() for root in roots)
    folder = OwnFolder.claim(out_dir, what, inputs.NAMES if reads_itself else ())
    wanted = inputs.key(run_dirs, out_dir)
    if inputs.is_current(folder, wanted):
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
    files = {
        "cells.csv": tables.csv_text(tables.cells_table(study, estimates)),
        "comparisons.csv": tables.csv_text(tables.comparisons_table(study, comparisons)),
        **({"claims.json": claims.text(verdicts)} if verdicts else {}),
        **page_files(page),
    }
    folder.publish("page", {**files, inputs.STAMP: inputs.stamp(wanted, files)})
    return out_dir / "index.html"


def _page(study: Study, estimates: Estimates, sections: tuple[Section, ...]) -> Page:
    title = str(study.report.get("title") or f"mfbench: {study.name}")
    return Page(title, LEDE, appendix.facts(study, estimates), sections, study.methods)
