from __future__ import annotations

from collections import Counter

from mfbench.metrics.base import Metric
from mfbench.registry import METRICS
from mfbench.report import names, selection


def test_every_registered_metric_has_one_family_and_one_line() -> None:
    listed = Counter(metric for family in selection.FAMILIES for metric in family.metrics)
    registered = [name for name in METRICS.names() if issubclass(METRICS.get(name), Metric)]
    assert [name for name in registered if listed[name] != 1] == []
    assert sorted(set(listed) - set(registered)) == []
    assert [name for name in listed if not names.explain(name)] == []


def test_metrics_of_the_main_table_and_of_figures_are_known() -> None:
    known = {metric for family in selection.FAMILIES for metric in family.metrics}
    shown = (
        *selection.QUALITY_FIGURES,
        *selection.DIVERSITY_FIGURES,
        *selection.SYNC_FIGURES,
        *selection.SYNC_MORE_FIGURES,
        *selection.DRIFT_FIGURES,
    )
    assert set(shown) <= known
    timings = {"chunk_latency_ms", "rtf", "nfe_per_chunk"}
    assert set(selection.HEADLINE) <= known | timings


def test_families_keep_every_metric_once_and_unknown_ones_last() -> None:
    found = selection.by_family(["per", "of_mine", "kavd_lite", "per"])
    assert [(family.title.split(":")[0], family.metrics) for family in found] == [
        ("Distributions", ("kavd_lite",)),
        ("Speech", ("per",)),
        ("Others", ("of_mine",)),
    ]
