"""The set metrics beside the headline: one modality alone, limits, neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips
from scipy.linalg import sqrtm

from mfbench.metrics.distances import ClipSets, Coverage, Moments, frechet_distance
from mfbench.metrics.fidelity import FrechetScores, LimitScores, NeighbourScores
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

SIDES = {"fvd_lite": "video", "fad_lite": "audio", "favd_lite": "joint"}


def value(name: str, seen: Observation, reference: Observation, spoken: RealClips) -> float:
    result = METRICS.build({"type": name}).compute(seen, reference, spoken.prompts)
    assert result.status == "ok"
    return float(result.value)


@pytest.mark.parametrize("name", SIDES)
def test_frechet_distances_of_windows(
    name: str, real: Observation, reference: Observation, spoken: RealClips
) -> None:
    points = [getattr(side.windows, SIDES[name]).astype(np.float64) for side in (real, reference)]
    rows = [p.reshape(-1, p.shape[-1]) for p in points]
    means, covariances = [r.mean(0) for r in rows], [np.cov(r, rowvar=False) for r in rows]
    cross = np.real(sqrtm(covariances[0] @ covariances[1]))
    wanted = ((means[0] - means[1]) ** 2).sum() + np.trace(sum(covariances) - 2 * cross)
    assert value(name, real, reference, spoken) == pytest.approx(wanted, rel=0.02)


def test_each_modality_sees_its_own(real: Observation, reference: Observation, spoken: RealClips) -> None:
    moved = replace(real, windows=replace(real.windows, video=real.windows.video + 1))
    for name in ("fad_lite", "fad_lite_inf"):
        assert value(name, moved, reference, spoken) == value(name, real, reference, spoken)
    squared = real.windows.video.shape[-1]
    for name in ("fvd_lite", "fvd_lite_inf"):
        before, after = (value(name, seen, reference, spoken) for seen in (real, moved))
        assert after > before + 0.8 * squared


def gaussian_scores(kind: type[FrechetScores], clips: int, shift: float) -> float:
    """Clips of four windows of six values against the true Gaussian, mean over ten draws."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sets = ClipSets.of((rng.standard_normal((clips, 4, 6)) + shift).astype(np.float32))
        scores = kind(np.ones(clips, bool), Moments.of(sets), (np.zeros(6), np.eye(6)))
        found.append(scores.value(np.arange(clips)))
    return float(np.mean(np.array(found, dtype=np.float64)))


@pytest.mark.parametrize("clips", [40, 80])
def test_the_limit_takes_the_bias_off(clips: int) -> None:
    biased, limit = (gaussian_scores(kind, clips, 0.0) for kind in (FrechetScores, LimitScores))
    assert biased > 0
    assert abs(limit) < 0.5 * biased
    assert gaussian_scores(LimitScores, clips, 0.5) == pytest.approx(6 * 0.25, abs=0.2)


def test_a_limit_needs_32_clips(real: Observation, reference: Observation, spoken: RealClips) -> None:
    scores = METRICS.build({"type": "favd_lite_inf"}).scores(real, reference, spoken.prompts)
    assert scores.value(np.arange(31)) is None
    assert scores.value(np.arange(32)) is not None


def test_the_same_gaussian_is_at_no_distance() -> None:
    spread = np.diag([1.0, 4.0, 0.25])
    assert frechet_distance(np.ones(3), spread, np.ones(3), spread) == pytest.approx(0, abs=1e-9)


def neighbours(points: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    coverage = Coverage.between(ClipSets.of(points), ClipSets.of(real))
    usable, clips = np.ones(len(points), bool), np.arange(len(points))
    found = [NeighbourScores(usable, coverage, which).value(clips) for which in ("precision", "recall")]
    return float(found[0] or 0), float(found[1] or 0)


def test_precision_falls_for_strays_and_recall_for_lost_modes() -> None:
    rng = np.random.default_rng(1)
    real = rng.standard_normal((40, 3, 4)).astype(np.float32)
    real[20:] += 8
    fresh = rng.standard_normal((40, 3, 4)).astype(np.float32)
    both, one, strays = fresh.copy(), fresh.copy(), fresh.copy()
    both[20:] += 8
    strays[20:] += 8
    strays[10:20] -= 30
    precise, recalled = neighbours(both, real)
    assert precise > 0.75
    assert recalled > 0.75
    assert neighbours(one, real)[0] == pytest.approx(precise, abs=0.15)
    assert neighbours(one, real)[1] == pytest.approx(recalled / 2, abs=0.15)
    assert neighbours(strays, real)[0] == pytest.approx(precise - 0.25, abs=0.1)
    assert neighbours(real, real) == (1.0, 1.0)


def test_precision_of_strangers_and_of_noise(
    real: Observation, reference: Observation, spoken: RealClips
) -> None:
    assert value("prc_precision", real, reference, spoken) > 0.6
    far = replace(real, windows=replace(real.windows, video=real.windows.video + 20))
    assert value("prc_precision", far, reference, spoken) == 0
    assert value("prc_recall", far, reference, spoken) == 0


def by_definition(points: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Density and coverage of Naeem et al. 2020 as loops; neighbours of the same clip are left out."""
    flat = [(clip, point) for clip, windows in enumerate(real) for point in windows]
    candidates = [point for windows in points for point in windows]
    inside, covered = 0, 0
    for clip, centre in flat:
        others = sorted(float(np.linalg.norm(centre - point)) for owner, point in flat if owner != clip)
        within = sum(float(np.linalg.norm(centre - point)) <= others[4] for point in candidates)
        inside += within
        covered += within > 0
    return inside / (5 * len(candidates)), covered / len(flat)


def crowd(points: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    coverage = Coverage.between(ClipSets.of(points), ClipSets.of(real))
    usable, clips = np.ones(len(points), bool), np.arange(len(points))
    found = [NeighbourScores(usable, coverage, which).value(clips) for which in ("density", "coverage")]
    return float(found[0] or 0), float(found[1] or 0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), shift=st.floats(0, 3))
def test_density_and_coverage_by_definition(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    real = rng.standard_normal((9, 2, 3)).astype(np.float32)
    points = (rng.standard_normal((7, 2, 3)) + shift).astype(np.float32)
    assert crowd(points, real) == pytest.approx(by_definition(points, real))
    assert crowd(points[::-1], real) == pytest.approx(crowd(points, real))
    assert crowd(points, real[::-1]) == pytest.approx(crowd(points, real))
    assert crowd(points + 50, real) == (0.0, 0.0)


def test_density_of_fresh_clips_is_one_and_coverage_knows_lost_modes() -> None:
    rng = np.random.default_rng(2)
    real, fresh = (rng.standard_normal((80, 2, 4)).astype(np.float32) for _ in range(2))
    real[40:] += 9
    both = fresh.copy()
    both[40:] += 9
    dense, covering = crowd(both, real)
    assert dense == pytest.approx(1.0, abs=0.15)
    assert covering > 0.9
    assert crowd(fresh, real)[1] == pytest.approx(covering / 2, abs=0.1)
    assert crowd(fresh, real)[0] == pytest.approx(dense, abs=0.2)  # where they are, they are as dense
    centred = np.broadcast_to(np.array([0.0, 9.0])[:, None, None], (2, 40, 4)).reshape(80, 1, 4)
    assert crowd(centred.astype(np.float32), real)[0] > 1.5  # in the thick of it
    assert crowd(real, real)[1] == 1.0


def test_an_outlier_of_the_reference_does_not_spoil_density() -> None:
    """Its wide ball holds every stray, which precision takes for real."""
    rng = np.random.default_rng(3)
    real = rng.standard_normal((60, 1, 3)).astype(np.float32)
    real[0] = 40
    strays = (20 + rng.standard_normal((60, 1, 3))).astype(np.float32)
    assert neighbours(strays, real)[0] > 0.9
    assert crowd(strays, real)[0] < 0.25


def test_density_and_coverage_of_real_clips(
    real: Observation, reference: Observation, spoken: RealClips
) -> None:
    assert value("prc_density", real, reference, spoken) == pytest.approx(1, abs=0.35)
    assert value("prc_coverage", real, reference, spoken) > 0.6
    values = []
    for step in (0.0, 1.0, 3.0, 20.0):
        moved = replace(real, windows=replace(real.windows, video=real.windows.video + np.float32(step)))
        values.append([value(name, moved, reference, spoken) for name in ("prc_density", "prc_coverage")])
    assert values == sorted(values, reverse=True)
    assert [row[1] for row in values] == sorted((row[1] for row in values), reverse=True)
    assert values[-1] == [0, 0]
