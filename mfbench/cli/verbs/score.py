"""Score a folder of films from any model: mp4, mov, mkv, webm, avi or mpg.

Writes `clips.csv` (file, metric, value, unit, status), `summary.json` and the page `index.html`. Without
a reference, films are compared with real clips of the talking character. One bad file never stops the
others. Killed or interrupted, the same command reads only the films that are left. `python -m mfbench report
scores/a scores/b` puts several scored folders on one page.

    python -m mfbench score films
    python -m mfbench score films --weights weights.yaml
    python -m mfbench score films --manifest films/manifest.csv --reference real --out scores
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mfbench.cli.output import say, table, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mfbench.bench.progress import Progress
    from mfbench.bench.scoring.folder import Scored
    from mfbench.bench.scoring.full_models import FullTier
    from mfbench.bench.scoring.piece import FilmResult
    from mfbench.bench.scoring.total import Total
    from mfbench.data.manifest import ClipEntry

SHOWN = ("kavd_lite", "kvd_lite", "kad_lite", "favd_lite", "sync_corr", "sync_c_norm", "av_offset_ms", "per")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="real films of the same kind")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="csv, tsv, json, jsonl or parquet")
    parser.add_argument("--out", type=Path, default=Path("scores"), metavar="DIR", help="scores")
    parser.add_argument(
        "--jobs", type=whole(0, 1024), default=0, metavar="N", help="processes (one per core)"
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/judges"), help="of fitted judges")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="weights.yaml of the full tier, see `mfbench doctor`"
    )
    parser.add_argument("--all", action="store_true", help="print every metric that has a value")


def execute(arguments: argparse.Namespace) -> int:
    """Read, score, write, print; exit code 1 if any film failed."""
    from mfbench import provenance
    from mfbench.bench.judging.kit import load_or_fit
    from mfbench.bench.progress import Progress
    from mfbench.bench.scoring import aggregate, folder, out_folder, tables
    from mfbench.bench.scoring.full_models import FullTier
    from mfbench.bench.scoring.full_tier import check_models, score_full
    from mfbench.bench.scoring.journal import Journal
    from mfbench.bench.scoring.world_reference import world_reference
    from mfbench.data.manifest import scan_folder
    from mfbench.files import write
    from mfbench.report import build_scored

    entries, root = _entries(arguments.folder, arguments.manifest)
    given = scan_folder(arguments.reference) if arguments.reference else None
    tier = FullTier.of(arguments.weights) if arguments.weights else None
    if tier is not None:
        check_models(tier)
    out = out_folder.prepare_out(arguments.out, arguments.folder)
    journal = Journal(out.path / out_folder.JOURNAL)
    kit = load_or_fit(arguments.cache, say)
    real = arguments.reference or world_reference(kit, say)
    reference = given or scan_folder(real)
    scored = folder.score(
        entries,
        root,
        reference,
        real,
        kit,
        journal,
        workers=arguments.jobs or provenance.cores(),
        progress=_shown_by(Progress(0), "films"),
        tell=say,
    )
    films, totals = scored.films, aggregate.totals(scored.films, scored.reference, entries, kit.digest)
    anchors = aggregate.real_totals(scored.reference, reference, kit.digest)
    if tier is not None:
        show = _shown_by(Progress(0), "full tier")
        full = score_full(tier, scored, entries, root, reference, real, journal, progress=show)
        films, totals, anchors = full.films, [*totals, *full.totals], [*anchors, *full.real]
    facts: dict[str, object] = {
        "folder": out_folder.shown_name(arguments.folder),
        "judges": kit.digest,
        "reference": "folder" if arguments.reference else "talking character",
        "weights": tier.licences() if tier else [],
    }
    journal.forget_unused()
    write(out.path / out_folder.CLIPS, tables.clips_text(films, tier.units() if tier else {}))
    write(out.path / out_folder.SUMMARY, tables.summary_text(films, totals, anchors, facts))
    page = build_scored([arguments.out], arguments.out)
    _print(films, totals, tier, all_of_them=arguments.all)
    _print_speed(scored)
    say(f"written: {arguments.out / out_folder.CLIPS}, {arguments.out / out_folder.SUMMARY}, {page}")
    return 1 if any(film.status != "ok" for film in films) else 0


def _entries(folder: Path, manifest: Path | None) -> tuple[tuple[ClipEntry, ...], Path]:
    """The clips, and the folder that their names begin at."""
    from mfbench.data.manifest import ManifestError, read_manifest, scan_folder

    if manifest is None:
        return scan_folder(folder), folder
    if not folder.is_dir():
        raise ManifestError(f"{folder}:1: there is no such folder; check the path")
    entries = read_manifest(manifest)
    if not entries:
        raise ManifestError(f"{manifest}:1: holds no clips")
    inside = all(entry.video is None or entry.video.is_relative_to(folder) for entry in entries)
    return entries, folder if inside else manifest.parent


def _print_speed(scored: Scored) -> None:
    """Of the default tier, where anything was read."""
    import resource

    from mfbench.bench.machine import host_memory_peak_mb

    if not scored.media_s:
        return
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(one.ru_utime + one.ru_stime for one in used)
    speed = f"{scored.media_s / scored.seconds:.1f} times real time, reference included"
    took = f"{scored.media_s:.0f} s of media in {scored.seconds:.1f} s"
    say(f"{took}: {speed}; {cpu_s:.1f} s of processors in all")
    largest = "unknown" if scored.worker_mb is None else f"{scored.worker_mb:.0f} MB"
    say(f"peak memory: {host_memory_peak_mb():.0f} MB here, {largest} in the largest worker")


def _shown_by(progress: Progress, name: str) -> Callable[[int, int, str], None]:
    """One line with rate and remaining time."""
    import time

    progress.event(name, {"event": "start", "label": name, "time": time.time()})

    def show(done: int, total: int, file: str) -> None:
        event = {"event": "progress", "done": done, "total": total, "note": file, "time": time.time()}
        progress.event(name, event)
        progress.tick()

    return show


def _print(
    films: Sequence[FilmResult], totals: Sequence[Total], tier: FullTier | None, *, all_of_them: bool
) -> None:
    rows = []
    shown = (*SHOWN, *(tier.metrics() if tier else ()))
    for total in totals:
        if total.metric in shown or (all_of_them and total.value is not None):
            value = total.status if total.value is None else f"{total.value:.4g}"
            band = "" if total.ci_low is None else f"[{total.ci_low:.4g}, {total.ci_high:.4g}]"
            strict = "" if total.strict is None else f"{total.strict:.4g}"
            few = "" if total.enough else "few clips"
            rows.append((total.metric, value, band, strict, str(total.n), few))
    say(table(("metric", "value", "95 % interval", "strict", "n", ""), rows))
    for used in tier.licences() if tier else []:
        licences = f"code {used['code_licence']}; weights {used['weights_licence']}"
        say(f"  {used['adapter']}: {used['file']}: {licences}")
    for film in films:
        if film.status != "ok":
            say(f"  {film.status}: {film.file or film.id}: {film.reason}")
    failed, known = sum(film.status != "ok" for film in films), sum(film.is_character for film in films)
    say(f"{len(films)} films, {failed} failed, {known} show a face that the readers know")
