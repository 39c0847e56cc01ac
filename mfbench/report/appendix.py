"""What frames the results: the summary above, codec floors, failures and provenance below."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable
from typing import Any

from mfbench.report import names
from mfbench.report.document import Block, Bullets, Code, Column, Details, Note, Section, Table, Text, Value
from mfbench.report.estimates import Estimates
from mfbench.report.load import Study
from mfbench.report.results import headline_metric
from mfbench.report.statistics import REPLICATES

LOG_LINES = 15
UNCERTAINTY = (
    f"Intervals: 95 % percentile bootstrap with {REPLICATES} replicates that all cells share, resampling "
    "training seeds, then prompts, then the sampling seeds of each prompt; set metrics use the replicates "
    "that the scorer kept, pooled over seeds. p: sign-flip permutation by prompt (normal approximation for "
    "set metrics), corrected by Holm. With one training seed the intervals do not cover training again, "
    "with a few they are too short where trainings differ; those of the claims are not."
)


def commands(study: Study) -> tuple[str, ...]:
    """The distinct commands that made the records, the most frequent first."""
    found = Counter(shlex.join(c.provenance["argv"]) for c in study.cells if c.provenance.get("argv"))
    return tuple(sorted(found, key=lambda text: (-found[text], text)))


def facts(study: Study, estimates: Estimates) -> tuple[tuple[str, str], ...]:
    """The numbers on top of the page."""
    prompts = {e.samples.shape[2] for e in estimates.by_key.values() if e.samples is not None}
    seeds = [len([seed for seed in all_ if seed is not None]) for all_ in estimates.seeds]
    failed = sum(not cell.ok for cell in study.cells)
    return (
        ("methods", str(len(study.methods))),
        ("steps per chunk", ", ".join(map(str, study.steps))),
        ("prompts", str(max(prompts, default=0)) if prompts else "not recorded"),
        ("training × sampling seeds", " × ".join(map(str, seeds))),
        ("cells measured", f"{len(study.cells) - failed} of {len(study.cells)}"),
        ("code", _code(study)),
    )


def _code(study: Study) -> str:
    commits = sorted({str(c.provenance["git"])[:10] for c in study.cells if c.provenance.get("git")})
    dirty = any(cell.provenance.get("dirty") for cell in study.cells)
    return (", ".join(commits) or "not recorded") + (" + changes" if dirty else "")


def overview(study: Study, estimates: Estimates) -> Section:
    """What this is, the command, and the headline in words."""
    blocks: list[Block] = []
    stale = sorted({label for cell in study.cells for label in cell.provenance.get("stale_stages") or []})
    if stale:
        text = (
            f"Code has changed since {_plural(len(stale), 'stage was', 'stages were')} made: {_some(stale)}."
        )
        blocks.append(Note(text, warning=True))
    failed = [cell.name for cell in study.cells if not cell.ok]
    if failed:
        text = f"{_plural(len(failed), 'cell', 'cells')} failed: {_some(failed)}; see Failures."
        blocks.append(Note(text, warning=True))
    made = commands(study)
    if made:
        blocks += [Text("Made by:"), Code("\n".join(made))]
    blocks.append(Bullets(tuple(_glance(study, estimates))))
    return Section("overview", "At a glance", tuple(blocks))


def _glance(study: Study, estimates: Estimates) -> Iterable[str]:
    metric = headline_metric(study, estimates)
    example = estimates.example(metric) if metric else None
    if metric is None or example is None or example.higher_is_better is None:
        yield "No headline metric was measured."
        return
    explained = names.explain(metric) or "see the table"
    yield f"Headline: `{metric}`, {explained}; {names.direction(example.higher_is_better)}."
    for steps in study.steps:
        found = [e for m in study.methods if (e := estimates.get(m, steps, metric)) is not None]
        if found:
            sign = -1 if example.higher_is_better else 1
            ranked = sorted(found, key=lambda e: sign * (e.value or 0.0))
            texts = [f"**{ranked[0].method}** {_value(ranked[0].value)}"]
            texts += [f"{e.method} {_value(e.value)}" for e in ranked[1:3]]
            yield f"{_plural(steps, 'step', 'steps')}: {', then '.join(texts)}."
    anchors = [(name, estimates.get(name, None, metric)) for name in ("real", "null")]
    texts = [f"{name} {_value(found.value)}" for name, found in anchors if found]
    if texts:
        yield f"Anchors: {', '.join(texts)}."


def _value(value: float | None) -> str:
    return names.number(value or 0.0, names.decimals([value or 0.0]))


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _some(items: list[str], limit: int = 6) -> str:
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(f"`{item}`" for item in items[:limit]) + more


def codec_floors(study: Study) -> Section:
    """What encoding and decoding alone costs; no method can be better through these codecs."""
    floors: dict[str, dict[str, Any]] = {}
    for cell in study.cells:
        for codec, values in cell.extra.get("codec_floor", {}).items():
            floors.setdefault(codec, values if isinstance(values, dict) else {})
    metrics = sorted({name for values in floors.values() for name in values})
    if not metrics:
        return Section("codecs", "Codec floors", (Note("Not measured: no record holds a codec floor."),))
    rows = tuple((Value(codec), *(_floor(floors[codec].get(m)) for m in metrics)) for codec in sorted(floors))
    columns = (Column("codec", numeric=False), *(_floor_column(floors, m) for m in metrics))
    lead = Text("Real test clips after encoding and decoding, measured like generated ones.")
    return Section("codecs", "Codec floors", (lead, Table(columns, (("", rows),))))


def _floor_column(floors: dict[str, dict[str, Any]], metric: str) -> Column:
    entries = [values[metric] for values in floors.values() if isinstance(values.get(metric), dict)]
    return Column(metric, str(entries[0].get("unit") or "") if entries else "", names.explain(metric))


def _floor(entry: object) -> Value:
    value = entry.get("value") if isinstance(entry, dict) else entry
    return Value("–") if not isinstance(value, int | float) else Value(names.compact(float(value)))


def failures(study: Study) -> Section:
    """Failed cells with the tail of their log, metrics without a value, and what was left out."""
    blocks: list[Block] = []
    failed = [cell for cell in study.cells if not cell.ok]
    if not failed:
        blocks.append(Text(f"All {len(study.cells)} cells were measured."))
    for cell in failed:
        error = cell.error or {}
        head = f"`{cell.name}` in {error.get('stage', '?')}: {error.get('type', 'failed')}"
        tail = str(error.get("traceback") or error.get("log") or "").rstrip().splitlines()[-LOG_LINES:]
        message = Text(str(error.get("message") or "no message"))
        blocks.append(Details(head, (message, *((Code("\n".join(tail)),) if tail else ()))))
    blocks += _missing_values(study)
    skipped = study.settings.get("skipped") or []
    if skipped:
        items = tuple(f"`{item['cell']}`: {item['reason']}" for item in skipped)
        blocks.append(Details(f"Left out by the plan ({len(items)})", (Bullets(items),)))
    return Section("failures", "Failures", tuple(blocks))


def _missing_values(study: Study) -> list[Block]:
    found = Counter(
        (metric.name, metric.status, cell.method)
        for cell in study.cells
        for metric in cell.metrics.values()
        if metric.status != "ok"
    )
    if not found:
        return []
    columns = tuple(Column(name, numeric=name == "cells") for name in ("metric", "status", "method", "cells"))
    rows = tuple((*(Value(part) for part in key), Value(str(count))) for key, count in sorted(found.items()))
    summary = f"Metrics without a full value ({sum(found.values())})"
    return [Details(summary, (Table(columns, (("", rows),)),))]


def provenance(study: Study) -> Section:
    """Where the numbers come from, merged over all cells, and how uncertainty was computed."""
    columns = (Column("what", numeric=False), Column("value", numeric=False))
    keys = ("git", "dirty", "python", "hardware", "device", "threads")
    merged = {key: _distinct(study, key) for key in keys}
    rows = [(key, value) for key, value in merged.items() if value]
    packages = sorted({(k, v) for c in study.cells for k, v in (c.provenance.get("packages") or {}).items()})
    rows.append(("packages", ", ".join(f"{name} {version}" for name, version in packages) or "not recorded"))
    digests = {c.provenance.get("code_digest") for c in study.cells if c.provenance.get("code_digest")}
    rows.append(("code digests", f"{len(digests)} distinct over {len(study.cells)} cells"))
    for key, choose in (("started", min), ("finished", max)):
        times = [str(c.provenance[key]) for c in study.cells if c.provenance.get(key)]
        if times:
            rows.append((key, choose(times)))
    table = Table(columns, (("", tuple((Value(key), Value(value)) for key, value in rows)),))
    return Section("provenance", "Provenance", (table, Text(UNCERTAINTY)))


def _distinct(study: Study, key: str) -> str:
    values = {json.dumps(c.provenance.get(key), sort_keys=True) for c in study.cells}
    return "; ".join(_plain(json.loads(value)) for value in sorted(values - {"null"}))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        given = {name: item for name, item in sorted(value.items()) if item not in (None, [])}
        return ", ".join(f"{name} {_plain(item)}" for name, item in given.items())
    if isinstance(value, list):
        return " and ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
