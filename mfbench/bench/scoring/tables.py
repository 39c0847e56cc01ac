"""`clips.csv` and `summary.json`, the output of a scored folder."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.runtime import UNITS
from mfbench.bench.scoring.total import Total
from mfbench.metrics.base import SetMetric
from mfbench.registry import METRICS

NO_MORE: Mapping[str, str] = MappingProxyType({})
COLUMNS = ("file", "metric", "value", "unit", "status")
SCHEMA = 1


def clips_text(films: Sequence[FilmResult], more: Mapping[str, str] = NO_MORE) -> str:
    """`clips.csv`: one row per film and metric of single clips.

    A film that could not be read has its status in all rows.

    Args:
        films: results.
        more: units of further metrics of single clips, by name.
    """
    units = {n: METRICS.get(n).unit for n in METRICS.names() if not issubclass(METRICS.get(n), SetMetric)}
    units |= {**UNITS, **more}
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for film in films:
        for name, unit in units.items():
            piece = film.pieces.get(name)
            value = piece.value if piece else None
            text, status = "" if value is None else f"{value:.8g}", piece.status if piece else film.status
            writer.writerow((film.file or film.id, name, text, unit, status))
    return table.getvalue()


def summary_text(
    films: Sequence[FilmResult],
    totals: Sequence[Total],
    real: Sequence[Total],
    facts: dict[str, object],
) -> str:
    """`summary.json`: metrics, also of real films, and files with reasons, notes, and how they were read."""
    content = {
        "schema": SCHEMA,
        **facts,
        "clips": len(films),
        "failed": sum(film.status != "ok" for film in films),
        "characters": sum(film.is_character for film in films),
        "media_seconds": round(sum(film.seconds for film in films), 3),
        "metrics": {total.metric: _total(total) for total in totals},
        "real": {total.metric: _total(total) for total in real},
        "files": [_film(film) for film in films],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _total(total: Total) -> dict[str, object]:
    return {name: _rounded(value) for name, value in asdict(total).items() if name != "metric"}


def _film(film: FilmResult) -> dict[str, object]:
    reasons = sorted({piece.reason for piece in film.pieces.values() if piece.status == "failed_metric"})
    return {
        "file": film.file,
        "id": film.id,
        "status": film.status,
        "reason": film.reason,
        "seconds": round(film.seconds, 3),
        "is_character": film.is_character,
        "notes": list(film.notes),
        "failed_metrics": reasons,
        "facts": {name: _rounded(value) for name, value in film.facts.items()},
    }


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value
