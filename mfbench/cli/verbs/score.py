"""Score a folder of films from any model: mp4, mov, mkv, webm, avi or mpg.

Writes `clips.csv` (file, metric, value, unit, status) and `summary.json`. Without a reference, films are
compared with real clips of the talking character. One bad file never stops the others.

    python -m mfbench score films
    python -m mfbench score films --manifest films/manifest.csv --reference real --out scores
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mfbench.cli.output import say, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mfbench.bench.progress import Progress
    from mfbench.bench.scoring.aggregate import Total
    from mfbench.bench.scoring.piece import FilmResult

SHOWN = ("kavd_lite", "kvd_lite", "kad_lite", "favd_lite", "sync_corr", "sync_c_norm", "av_offset_ms", "per")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="real films of the same kind")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="csv, tsv, json, jsonl or parquet")
    parser.add_argument("--out", type=Path, default=Path("scores"), metavar="DIR", help="scores")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes (one per core)")
    parser.add_argument("--cache", type=Path, default=Path("runs/judges"), help="of fitted judges")
    parser.add_argument("--all", action="store_true", help="print every metric that has a value")


def execute(arguments: argparse.Namespace) -> int:
    """Read, score, write, print; exit code 1 if any film failed."""
    import resource
    import time

    from mfbench import provenance
    from mfbench.bench.judging.kit import load_or_fit
    from mfbench.bench.progress import Progress
    from mfbench.bench.scoring import aggregate, folder, tables
    from mfbench.bench.scoring.world_reference import world_reference
    from mfbench.data.manifest import read_manifest, scan_folder
    from mfbench.errors import UsageError

    if arguments.jobs < 0:
        raise UsageError(f"--jobs {arguments.jobs}: wanted a number from 0")
    entries = read_manifest(arguments.manifest) if arguments.manifest else scan_folder(arguments.folder)
    kit = load_or_fit(arguments.cache, say)
    real = arguments.reference or world_reference(kit, say)
    began = time.monotonic()
    found = folder.score(
        entries,
        arguments.folder,
        scan_folder(real),
        real,
        kit.path,
        workers=arguments.jobs or provenance.cores(),
        progress=_shown_by(Progress(0)),
    )
    prompts = [entry.prompt_id or entry.id for entry in entries]
    totals = aggregate.totals(found.films, found.reference, prompts, kit.digest)
    seconds = time.monotonic() - began
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables.write_clips(found.films, arguments.out / "clips.csv")
    facts: dict[str, object] = {
        "judges": kit.digest,
        "reference": "folder" if arguments.reference else "talking character",
    }
    tables.write_summary(found.films, totals, facts, arguments.out / "summary.json")
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    media_s = sum(film.seconds for film in (*found.films, *found.reference))
    _print(found.films, totals, all_of_them=arguments.all)
    speed = f"{media_s / seconds:.1f} times real time, reference included"
    say(f"{media_s:.0f} s of media in {seconds:.1f} s: {speed}")
    say(f"peak memory: {peaks[0] / 1024:.0f} MB here, {peaks[1] / 1024:.0f} MB in the largest worker")
    say(f"written: {arguments.out / 'clips.csv'}, {arguments.out / 'summary.json'}")
    return 1 if any(film.status != "ok" for film in found.films) else 0


def _shown_by(progress: Progress) -> Callable[[int, int, str], None]:
    """One line with rate and remaining time."""
    import time

    name = "films"
    progress.event(name, {"event": "start", "label": name, "time": time.time()})

    def show(done: int, total: int, file: str) -> None:
        event = {"event": "progress", "done": done, "total": total, "note": file, "time": time.time()}
        progress.event(name, event)
        progress.tick()

    return show


def _print(films: Sequence[FilmResult], totals: Sequence[Total], *, all_of_them: bool) -> None:
    rows = []
    for total in totals:
        if total.metric in SHOWN or (all_of_them and total.value is not None):
            value = total.status if total.value is None else f"{total.value:.4g}"
            band = "" if total.ci_low is None else f"[{total.ci_low:.4g}, {total.ci_high:.4g}]"
            strict = "" if total.strict is None else f"{total.strict:.4g}"
            few = "" if total.enough else "few clips"
            rows.append((total.metric, value, band, strict, str(total.n), few))
    say(table(("metric", "value", "95 % interval", "strict", "n", ""), rows))
    for film in films:
        if film.status != "ok":
            say(f"  {film.status}: {film.file or film.id}: {film.reason}")
    failed, known = sum(film.status != "ok" for film in films), sum(film.is_character for film in films)
    say(f"{len(films)} films, {failed} failed, {known} show a face that the readers know")
