"""Films to one value per metric, with interval, coverage and a strict value in which failures count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfbench.bench.scoring.diversity_total import total_of_diversity
from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.runtime import UNITS
from mfbench.bench.scoring.set_total import total_of_sets
from mfbench.bench.scoring.total import Meaning, Total, digest, total_of_clips
from mfbench.data.manifest import ClipEntry
from mfbench.metrics.base import IntArray, Metric, SetMetric
from mfbench.registry import METRICS


def totals(
    films: Sequence[FilmResult],
    reference: Sequence[FilmResult],
    entries: Sequence[ClipEntry],
    judges: str,
) -> list[Total]:
    """Every registered metric, and what a manifest told of latency.

    Args:
        films: results in the order of the entries.
        reference: of real films.
        entries: what was asked; films of one prompt are resampled together.
        judges: digest of the judges.
    """
    cluster = clusters(entries)
    found = [_total(_metric(name), films, reference, entries, judges) for name in METRICS.names()]
    return [*found, *(total_of_clips(_of_runtime(name), films, cluster) for name in UNITS)]


def real_totals(reference: Sequence[FilmResult], entries: Sequence[ClipEntry], judges: str) -> list[Total]:
    """What real films get: the anchor beside every number.

    Metrics of single clips are those of all reference films; distances of sets are those of one half of
    them, every other film, from the other half.

    Args:
        reference: results of real films in the order of their entries.
        entries: of the reference.
        judges: digest of the judges.
    """
    found = []
    for name in METRICS.names():
        metric = _metric(name)
        if isinstance(metric, SetMetric):
            found.append(_total(metric, reference[::2], reference[1::2], entries[::2], judges))
        else:
            found.append(_total(metric, reference, (), entries, judges))
    return found


def _metric(name: str) -> Metric:
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    return metric


def _total(
    metric: Metric,
    films: Sequence[FilmResult],
    reference: Sequence[FilmResult],
    entries: Sequence[ClipEntry],
    judges: str,
) -> Total:
    protocol, cluster = digest(metric.name, metric.version, judges), clusters(entries)
    if isinstance(metric, SetMetric):
        return total_of_sets(metric, films, reference, cluster, protocol)
    if "seeds" in metric.needs:
        return total_of_diversity(metric, films, entries, cluster, protocol)
    return total_of_clips(_meaning(metric, protocol), films, cluster)


def clusters(entries: Sequence[ClipEntry]) -> IntArray:
    """Index of every entry's prompt; an entry without one is its own, [entries]."""
    prompts = [f"prompt {e.prompt_id}" if e.prompt_id is not None else f"clip {e.id}" for e in entries]
    return np.asarray(np.unique(np.array(prompts), return_inverse=True)[1], dtype=np.int64)


def _meaning(metric: Metric, protocol: str) -> Meaning:
    return Meaning(
        name=metric.name,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        worst=metric.worst,
        least_clips=metric.least_clips,
        protocol=protocol,
    )


def _of_runtime(name: str) -> Meaning:
    return Meaning(
        name=name,
        unit=UNITS[name],
        higher_is_better=name == "fps",
        worst=None,
        least_clips=1,
        protocol="as the manifest says",
    )
