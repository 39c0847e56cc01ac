"""Verdicts against what the records were made to say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from scipy import stats

from mfbench.bench.settings import Claim
from mfbench.report import build, claims, hypotheses
from mfbench.report.claims import Row, verdict
from mfbench.report.effects import Effect
from mfbench.report.estimates import Estimates
from mfbench.report.load import Cell, Study, load
from tests.report.conftest import Built

MARGINS = {"kavd_lite": 0.5, "sync_corr": 0.09, "per": 0.09}


def _study(built: Built, asked: list[str], margins: dict[str, float] | None = None) -> Study:
    study = load([built.run])
    report = study.report | {"claims": asked, "pilot": "x"}
    return replace(study, settings=study.settings | {"report": report, "margins": margins or MARGINS})


def _rows(built: Built, asked: list[str], margins: dict[str, float] | None = None) -> tuple[Row, ...]:
    study = _study(built, asked, margins)
    return claims.rows(study, Estimates(study))


def test_a_clear_winner_is_supported_and_a_missing_rival_leaves_a_claim_undecided(built: Built) -> None:
    found = _rows(built, ["C2"])
    by_text = {row.hypothesis: row for row in found}
    won = by_text["MutualForcing is better than SelfForcing at 4 steps, kavd_lite"]
    assert won.verdict == "supported"
    assert won.p is not None
    assert won.p < 0.05
    assert won.estimate is not None
    assert won.ci_high is not None
    assert won.estimate < won.ci_high < 0
    missing = by_text["MutualForcing is better than DMDTF at 4 steps, kavd_lite"]
    assert (missing.verdict, missing.estimate, missing.p) == ("undecided", None, None)
    assert verdict(list(found)) == "undecided"


def test_the_margin_decides_non_inferiority(built: Built) -> None:
    """MutualForcing at 4 steps is clearly worse than TeacherForcing at 50, by a known amount."""

    def of(rows: tuple[Row, ...]) -> Row:
        text = "MutualForcing at 4 steps is not worse than TeacherForcing at 50, kavd_lite"
        return next(row for row in rows if row.hypothesis == text)

    strict, generous = of(_rows(built, ["C1"])), of(_rows(built, ["C1"], MARGINS | {"kavd_lite": 50.0}))
    assert strict.estimate == generous.estimate
    assert strict.verdict == "refuted"
    assert generous.verdict == "supported"
    assert strict.minimum_detectable is not None
    assert strict.minimum_detectable > 0
    assert strict.train_seeds == 1
    assert strict.n == 72  # three sampling seeds of 24 prompts


def test_a_ratio_of_costs_is_exact_or_tested_over_trainings(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypotheses, "CHEAPER", "MutualForcing")
    study = _study(built, ["C4"])
    trainings = [replace(c, train_seed=s) for c in study.cells for s in (0, 1, 2) if not c.is_anchor]
    study = replace(study, cells=(*(c for c in study.cells if c.is_anchor), *trainings))
    found = {row.hypothesis: row for row in claims.rows(study, Estimates(study))}

    def flops(method: str) -> float:
        return float(built.record(f"{method}@4-t0-s0")["metrics"]["train_flops"]["value"])

    cheap = found["MutualForcing costs fewer FLOPs than SelfForcing, train_flops"]
    assert cheap.estimate == pytest.approx(flops("MutualForcing") / flops("SelfForcing"))
    assert (cheap.p, cheap.margin, cheap.verdict) == (0.0, 1.0, "supported")
    assert found["MutualForcing is not worse than SelfForcing at 4 steps, kavd_lite"].verdict == "supported"
    swapped = replace(study, cells=tuple(_with_ten_networks(c) for c in study.cells))
    lost = {row.hypothesis: row for row in claims.rows(swapped, Estimates(swapped))}
    assert (
        lost["MutualForcing costs fewer networks held than SelfForcing, train_networks"].verdict == "refuted"
    )


def _with_ten_networks(cell: Cell) -> Cell:
    if cell.method != "MutualForcing" or "train_networks" not in cell.metrics:
        return cell
    held = replace(cell.metrics["train_networks"], value=10.0)
    return replace(cell, metrics=cell.metrics | {"train_networks": held})


def test_timings_are_tested_with_students_t() -> None:
    rollouts = np.array([0.80, 0.85, 0.90, 0.82])
    effect = Effect.repeated(rollouts)
    oracle = stats.ttest_1samp(rollouts, 1.0, alternative="less")
    assert effect.measured.p_below(1.0) == pytest.approx(oracle.pvalue)
    low, high = stats.ttest_1samp(rollouts, 1.0).confidence_interval()
    assert effect.interval is not None
    assert (effect.interval.low, effect.interval.high) == pytest.approx((low, high))


def test_a_speed_without_the_larger_width_stays_undecided(built: Built) -> None:
    assert {row.verdict for row in _rows(built, ["C7"])} == {"undecided"}


def test_one_refuted_hypothesis_refutes_a_claim(built: Built) -> None:
    row = _rows(built, ["C2"])[0]
    assert verdict([replace(row, verdict="supported"), replace(row, verdict="refuted")]) == "refuted"
    assert verdict([replace(row, verdict="supported")]) == "supported"


def test_the_page_and_the_file_hold_every_hypothesis_only_where_asked(built: Built, tmp_path: Path) -> None:
    assert not (built.out / "claims.json").exists()
    assert 'id="claims"' not in (built.out / "index.html").read_text()
    run = tmp_path / "run"
    run.mkdir()
    (run / "records").symlink_to(built.run / "records")
    (run / "media").symlink_to(built.run / "media")
    study = _study(built, ["C1", "C2", "C4", "C7"])
    (run / "experiment.json").write_text(json.dumps(study.settings))
    build([run], tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert len(listed) == len(claims.rows(study, Estimates(study))) == 12 + 6 + 6 + 4
    keys = (
        "claim hypothesis statistic margin estimate ci_low ci_high p verdict minimum_detectable n train_seeds"
    )
    assert {" ".join(row) for row in listed} == {keys}
    page = (tmp_path / "out" / "index.html").read_text()
    assert 'id="claims"' in page
    assert "arXiv 2604.25819" in page
    assert "SelfForcing at 4 &gt; TeacherForcing at 50" in page


def test_an_experiment_can_ask_for_exactly_the_claims_that_have_hypotheses() -> None:
    assert tuple(hypotheses.CLAIMS) == get_args(Claim)
