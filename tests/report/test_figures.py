from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from mfbench.report import drift, figures, style
from mfbench.report.estimates import Estimate, Estimates
from mfbench.report.load import Study, load
from tests.report.conftest import Built


@pytest.fixture(scope="module")
def study(built: Built) -> Study:
    return load([built.run])


@pytest.fixture(scope="module")
def estimates(study: Study) -> Estimates:
    return Estimates(study)


def test_steps_figure_is_deterministic_xml_without_a_date(study: Study, estimates: Estimates) -> None:
    first = figures.steps_figure(study, estimates, "kavd_lite")
    assert first is not None
    assert first == figures.steps_figure(study, estimates, "kavd_lite")
    ElementTree.fromstring(first)
    assert not re.search(r"20\d\d-\d\d-\d\d|dc:date", first)
    for label in (">real<", ">kavd_lite ↓<", ">50<"):
        assert label in first


def test_a_far_null_line_is_told_not_drawn(study: Study, estimates: Estimates) -> None:
    drawn = figures.steps_figure(study, estimates, "av_offset_abs_ms")
    assert drawn is not None
    assert "off scale" in drawn
    assert ">null<" not in drawn


def test_the_front_has_no_beaten_point(study: Study, estimates: Estimates) -> None:
    keys = [(m, s) for m, s in study.groups() if m in study.methods]
    pairs = [
        (x, y)
        for m, s in keys
        if (x := estimates.get(m, s, "chunk_latency_ms_p50")) and (y := estimates.get(m, s, "kavd_lite"))
    ]
    kept = figures.front(pairs)
    quality = [y.value or 0.0 for _, y in kept]
    assert quality == sorted(quality, reverse=True)
    assert (kept[0][0].method, kept[0][0].steps) == ("MutualForcing", 1)
    assert (kept[-1][0].method, kept[-1][0].steps) == ("TeacherForcing", 50)


def test_nothing_measured_gives_no_figure(study: Study, estimates: Estimates) -> None:
    assert figures.steps_figure(study, estimates, "unknown") is None
    assert figures.bars_figure(study, estimates, "unknown") is None
    assert figures.pareto_figure(study, estimates, "unknown", "kavd_lite") is None
    assert drift.figure(study, "unknown") is None


def test_a_drift_trace_is_the_mean_over_seeds_inside_its_band(study: Study) -> None:
    cells = study.of("MutualForcing", 4)
    trace = drift.trace(cells, "sync_corr", "MutualForcing")
    assert trace is not None
    values = [cell.extra["drift"]["sync_corr"]["values"] for cell in cells]
    assert trace.mean[0] == pytest.approx(sum(v[0] for v in values) / len(values))
    assert (trace.low < trace.mean).all()
    assert (trace.mean < trace.high).all()
    assert drift.steps_shown(study) == 4


def test_scales_stay_linear_unless_a_falling_metric_spans_a_decade() -> None:
    def scale(shown: list[float], *, higher_is_better: bool | None) -> str:
        example = Estimate("m", 1, "q", 1.0, None, 1, "", "quality", higher_is_better, "ok")
        with style.panel("", "") as (_, axes):
            figures._vertical_scale(axes, shown, example)
            return axes.get_yscale()

    assert scale([1.0, 30.0], higher_is_better=False) == "log"
    assert scale([1.0, 5.0], higher_is_better=False) == "linear"
    assert scale([0.01, 1.0], higher_is_better=True) == "linear"
    assert scale([-3.0, 30.0], higher_is_better=None) == "linear"
    assert scale([-0.1, 0.5, 1.0, 30.0], higher_is_better=False) == "symlog"
    assert scale([-9.0, 0.5, 1.0, 30.0], higher_is_better=False) == "linear"


def test_latencies_close_together_keep_their_labels() -> None:
    with style.panel("", "") as (_, axes):
        figures._latency_axis(axes, [116.0, 164.0])
        assert axes.get_xscale() == "linear"
        figures._latency_axis(axes, [10.0, 400.0])
        assert axes.get_xscale() == "log"
