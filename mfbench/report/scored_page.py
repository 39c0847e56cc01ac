"""The page of one or more scored folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mfbench.files import OwnFolder
from mfbench.report import names, selection
from mfbench.report.document import Block, Bullets, Column, Details, Note, Page, Section, Table, Text, Value
from mfbench.report.judge_card import judge_card
from mfbench.report.page_files import page_files
from mfbench.report.scored_load import CLIPS, SUMMARY, Scored, load_scored
from mfbench.report.scored_tables import families, measured, metric_table, strips, worst_films

LEDE = (
    "Films of any model, read from their files: are they like real ones, do mouth and sound agree, are the "
    "words said, is it one face throughout, and does anything grow with time?"
)
RESULTS = (CLIPS, SUMMARY)
LISTED = 50  # files in a table; all of them are in `summary.json`


def build_scored(folders: Sequence[Path], out_dir: Path, what: str = "--out") -> Path:
    """Write `index.html`, `index.md` and `figures/` from the results of `score`.

    Returns `index.html`. The files are the same, byte by byte, for the same results.

    Raises:
        UsageError: where results cannot be read or told apart, or the folder is not ours.
    """
    reads_itself = any(folder.resolve() == out_dir.resolve() for folder in folders)
    folder = OwnFolder.claim(out_dir, what, RESULTS if reads_itself else ())
    scored = load_scored(folders)
    folder.publish("page", page_files(_page(scored, (*folders, out_dir))))
    return out_dir / "index.html"


def _page(folders: tuple[Scored, ...], paths: Sequence[Path]) -> Page:
    labels = tuple(scored.label for scored in folders)
    sections = (
        _overview(folders),
        Section("metrics", "All metrics", _all_metrics(folders)),
        _films(folders),
        _failures(folders),
        judge_card(paths),
        _provenance(folders),
    )
    facts = (
        ("folders", str(len(folders))),
        ("films", str(sum(len(scored.films) for scored in folders))),
        ("failed", str(sum(scored.failed for scored in folders))),
        ("seconds of media", f"{sum(scored.media_seconds for scored in folders):.0f}"),
        ("reference", ", ".join(dict.fromkeys(scored.reference for scored in folders))),
    )
    return Page(f"mfbench score: {', '.join(labels)}", LEDE, facts, sections, labels)


def _overview(folders: tuple[Scored, ...]) -> Section:
    """The main numbers, and what makes them hard to compare."""
    blocks: list[Block] = [Note(text, warning=True) for text in _warnings(folders)]
    lines = [
        f"**{scored.label}**: {len(scored.films)} films, {scored.failed} failed, "
        f"{scored.media_seconds:.0f} s; {scored.characters} show a face that the readers of the talking "
        "character know."
        for scored in folders
    ]
    shown = names.pick(selection.HEADLINE, measured(folders))
    blocks.append(Bullets(tuple(lines)))
    if shown:
        blocks.append(metric_table(folders, shown))
        blocks.append(
            Text(
                "Small print: 95 % interval, films of one prompt resampled together; strict: the value in "
                "which every failed film counts as the worst. ↑ higher is better, ↓ lower is better, ≈ closer"
                " to real is better; bold: best of several folders. Real films: the reference itself, for "
                "distances of sets one half of it against the other. An offset is **positive when audio "
                "leads**."
            )
        )
    else:
        blocks.append(Note("None of the main metrics has a value; the reasons are among all metrics."))
    return Section("overview", "At a glance", tuple(blocks))


def _warnings(folders: tuple[Scored, ...]) -> list[str]:
    found = []
    if len({scored.judges for scored in folders}) > 1:
        found.append("The folders were read by different judges: their numbers cannot be compared.")
    if len({str(sorted(scored.real.items())) for scored in folders}) > 1:
        found.append(
            "The folders were compared with different reference films: distances cannot be compared."
        )
    for scored in folders:
        if scored.failed:
            found.append(
                f"{scored.label}: {scored.failed} of {len(scored.films)} films failed; see Failures."
            )
        noted = sum(bool(film.notes) for film in scored.films)
        if noted:
            found.append(f"{scored.label}: {noted} films have notes on how they were read; see Failures.")
    return found


def _all_metrics(folders: tuple[Scored, ...]) -> tuple[Block, ...]:
    blocks = [*families(folders)]
    absent = [
        (metric, number.status, number.reason)
        for metric, number in folders[0].metrics.items()
        if all(scored.metrics[metric].value is None for scored in folders if metric in scored.metrics)
    ]
    if absent:
        columns = tuple(Column(name, numeric=False) for name in ("metric", "status", "why"))
        rows = tuple((Value(f"`{metric}`"), Value(status), Value(why)) for metric, status, why in absent)
        blocks.append(Details(f"Without a value ({len(absent)})", (Table(columns, (("", rows),)),)))
    return tuple(blocks)


def _films(folders: tuple[Scored, ...]) -> Section:
    blocks: list[Block] = []
    figures = strips(folders)
    if figures is not None:
        blocks += [Text("Every film is a point; the dashed line is the mean of real films."), figures]
    for scored in folders:
        table = worst_films(scored)
        if table is not None:
            blocks.append(Details(f"Films of {scored.label} to look at first", (table,)))
    if not blocks:
        blocks.append(Note("There are too few films to show them one by one."))
    return Section("films", "Film by film", tuple(blocks))


def _failures(folders: tuple[Scored, ...]) -> Section:
    blocks: list[Block] = []
    for scored in folders:
        rows = [
            (Value(film.file), Value(film.status), Value(film.reason))
            for film in scored.films
            if film.status != "ok"
        ]
        rows += [
            (Value(f.file), Value("failed_metric"), Value(why))
            for f in scored.films
            for why in f.failed_metrics
        ]
        if rows:
            columns = tuple(Column(name, numeric=False) for name in ("film", "status", "why"))
            blocks += [Text(f"**{scored.label}**"), Table(columns, (("", tuple(rows[:LISTED])),))]
            blocks += [Note(f"{len(rows) - LISTED} more are in summary.json.")] if len(rows) > LISTED else []
        notes = Counter(note for film in scored.films for note in film.notes)
        if notes:
            listed = tuple(f"{note} ({count} films)" for note, count in notes.most_common(LISTED))
            blocks.append(Details(f"Notes on the films of {scored.label}", (Bullets(listed),)))
    if not blocks:
        blocks.append(Text("Every film was read, and nothing about them calls for a note."))
    return Section("failures", "Failures", tuple(blocks))


def _provenance(folders: tuple[Scored, ...]) -> Section:
    columns = (Column("what", numeric=False), *(Column(scored.label, numeric=False) for scored in folders))
    rows = [
        (Value("judges"), *(Value(scored.judges) for scored in folders)),
        (Value("reference"), *(Value(scored.reference) for scored in folders)),
        (Value("models of the field"), *(Value(_models(scored)) for scored in folders)),
    ]
    protocols = [
        (
            Value(f"`{m}`"),
            *(Value(scored.metrics[m].protocol if m in scored.metrics else "–") for scored in folders),
        )
        for m in measured(folders)
    ]
    heads = (Column("metric", numeric=False), *columns[1:])
    return Section(
        "provenance",
        "Provenance",
        (
            Table(columns, (("", tuple(rows)),)),
            Details(
                "Protocol of every metric (changes with its version and judges)",
                (Table(heads, (("", tuple(protocols)),)),),
            ),
        ),
    )


def _models(scored: Scored) -> str:
    used = [f"{one['adapter']} ({one['file']}; weights {one['weights_licence']})" for one in scored.weights]
    return "; ".join(used) or "none"
