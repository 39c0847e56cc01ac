"""Totals against closed forms, diversity between seeds, strict values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from film_world import entry_of, failed, result

from mfbench.bench.scoring.aggregate import clusters, real_totals, totals
from mfbench.bench.scoring.diversity_total import MOST_SEEDS, total_of_diversity
from mfbench.bench.scoring.piece import FilmResult, Piece
from mfbench.bench.scoring.total import Meaning, Total, total_of_clips
from mfbench.data.manifest import ClipEntry
from mfbench.metrics.diversity import DiversityAudio, DiversityVideo
from mfbench.registry import METRICS

MEANING = Meaning("m", "u", higher_is_better=True, worst=0.0, least_clips=3, protocol="p")


def sample(name: str, prompt: str | None = None, seed: int | None = None) -> ClipEntry:
    return replace(entry_of(Path(f"{name}.mp4")), prompt_id=prompt, seed=seed)


def diversity(films: list[FilmResult], entries: list[ClipEntry]) -> Total:
    return total_of_diversity(DiversityVideo(), films, entries, clusters(entries), "p")


def test_mean_strict_value_and_counts() -> None:
    films = [result("a", 1.0), result("b", 3.0), failed("c"), result("d")]
    found = total_of_clips(MEANING, films, np.arange(4))
    assert (found.value, found.n, found.coverage) == (2.0, 2, 0.5)
    assert found.strict == pytest.approx(4 / 3)  # one failed film counts as 0, the film without m not at all
    assert (found.status, found.enough, found.reason) == ("ok", False, "")


def test_ratios_are_sums_over_sums() -> None:
    films = [
        replace(result("a"), pieces={"m": Piece("ok", 1.0, 2.0)}),
        replace(result("b"), pieces={"m": Piece("ok", 0.0, 6.0)}),
    ]
    assert total_of_clips(MEANING, films, np.arange(2)).value == pytest.approx(1 / 8)


def test_the_interval_holds_the_value_and_resamples_prompts() -> None:
    values = np.random.default_rng(0).normal(5, 1, 40)
    films = [result(str(i), value) for i, value in enumerate(values)]
    alone = total_of_clips(MEANING, films, np.arange(40))
    paired = total_of_clips(MEANING, [f for f in films for _ in range(2)], np.repeat(np.arange(40), 2))
    assert alone.ci_low is not None
    assert alone.ci_high is not None
    assert alone.ci_low < values.mean() < alone.ci_high
    width = 2 * 1.96 * values.std(ddof=1) / np.sqrt(40)
    assert alone.ci_high - alone.ci_low == pytest.approx(width, rel=0.2)
    assert paired.ci_low == pytest.approx(alone.ci_low, abs=0.1 * width)


def test_no_value_says_why() -> None:
    silent = replace(result("a"), pieces={"m": Piece("not_applicable", reason="no stream of sound")})
    found = total_of_clips(MEANING, [silent, failed("b")], np.arange(2))
    assert (found.value, found.strict, found.reason) == (None, None, "no stream of sound")
    assert total_of_clips(MEANING, [failed("b")], np.arange(1)).status == "failed_generation"


def test_prompts_are_apart_from_ids() -> None:
    entries = [sample("a", "x"), sample("b", "x"), sample("x"), sample("c")]
    found = clusters(entries)
    assert found[0] == found[1]
    assert len(set(found.tolist())) == 3


def test_diversity_is_the_mean_distance_between_seeds() -> None:
    """Three seeds at 0, 3 and 4 are 3, 4 and 1 apart, whatever windows only the longer ones have."""
    points = [np.zeros((2, 1)), np.full((3, 1), 3.0), np.full((2, 1), 4.0), np.full((2, 1), 99.0)]
    points[1][2] = 1e6
    films = [result(str(i), points=p) for i, p in enumerate(points)]
    entries = [sample(str(i), "p", i) for i in range(3)] + [sample("3", "q", 0)]
    found = diversity(films, entries)
    assert found.value == pytest.approx((3 + 4 + 1) / 3)
    assert (found.n, found.coverage, found.status) == (3, 0.75, "ok")


def test_diversity_needs_seeds_and_prompts() -> None:
    films = [result(str(i), points=np.full((2, 1), float(i))) for i in range(2)]
    without = diversity(films, [sample("0"), sample("1")])
    assert (without.value, without.status) == (None, "not_applicable")
    assert without.reason == "no manifest with prompt_id and seed"
    same = diversity(films, [sample("0", "p", 1), sample("1", "p", 1)])
    assert "different seeds" in same.reason
    deaf = total_of_diversity(
        DiversityAudio(), [result("0"), failed("1")], [sample("0")] * 2, np.zeros(2, int), "p"
    )
    assert deaf.value is None


def test_many_seeds_of_a_prompt_are_cut() -> None:
    films = [result(str(i), points=np.full((1, 1), float(i))) for i in range(MOST_SEEDS + 5)]
    entries = [sample(str(i), "p", i) for i in range(len(films))]
    assert diversity(films, entries).n == MOST_SEEDS


def test_sets_compare_with_the_reference_and_say_when_they_cannot() -> None:
    rng = np.random.default_rng(0)
    films = [result(str(i), points=rng.normal(0, 1, (3, 4))) for i in range(20)]
    real = [result(f"r{i}", points=rng.normal(2, 1, (3, 4))) for i in range(20)]
    entries = [sample(str(i)) for i in range(20)]
    found = {total.metric: total for total in totals(films, real, entries, "judges")}
    near = {total.metric: total for total in totals(films, films, entries, "judges")}
    assert found["fvd_lite"].value > 10 > near["fvd_lite"].value  # type: ignore[operator]
    assert found["fvd_lite"].value == pytest.approx(16, abs=6)  # the squared distance of the means
    assert (
        found["fvd_lite"].protocol
        != {t.metric: t for t in totals(films, real, entries, "x")}["fvd_lite"].protocol
    )
    alone = {total.metric: total for total in totals([result("a"), failed("b")], real, entries[:2], "j")}
    assert alone["kavd_lite"].value is None
    assert "too few" in alone["kavd_lite"].reason
    assert alone["rtf"].status == "failed_generation" or alone["rtf"].status == "not_applicable"


def test_real_films_are_compared_with_each_other() -> None:
    rng = np.random.default_rng(0)
    real = [result(f"r{i}", points=rng.normal(0, 1, (3, 4))) for i in range(40)]
    entries = [sample(f"r{i}") for i in range(40)]
    found = {total.metric: total for total in real_totals(real, entries, "judges")}
    direct = {t.metric: t for t in totals(real[::2], real[1::2], entries[::2], "judges")}
    assert found["kvd_lite"] == direct["kvd_lite"]
    assert (found["kvd_lite"].n, found["kvd_lite"].coverage) == (20, 1.0)
    assert abs(found["kvd_lite"].value or 9) < 1  # two samples of one distribution
    assert set(found) == set(METRICS.names())


def test_single_clip_metrics_of_real_films_use_all_of_them() -> None:
    real = [FilmResult(str(i), f"{i}.mp4", "ok", pieces={"sync_corr": Piece("ok", i / 10)}) for i in range(5)]
    found = {t.metric: t for t in real_totals(real, [sample(str(i)) for i in range(5)], "judges")}
    assert found["sync_corr"].value == pytest.approx(0.2)
    assert found["sync_corr"].n == 5
    assert found["per"].value is None
