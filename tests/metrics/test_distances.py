from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from mfbench.metrics.distances import (
    MMD,
    ClipSets,
    Coverage,
    KernelReference,
    Moments,
    clip_kernel,
    frechet_distance,
    median_distance,
    squared_distances,
)


def gaussian(clips: int, shift: float = 0.0, seed: int = 0, windows: int = 2, dim: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((clips, windows, dim)) + shift).astype(np.float32)


def sets(clips: int, shift: float = 0.0, seed: int = 0) -> ClipSets:
    return ClipSets.of(gaussian(clips, shift, seed))


def naive_mmd(x: Sequence[np.ndarray], y: Sequence[np.ndarray], bandwidth: float) -> float:
    """Gretton et al. 2012, eq. 3, written as three double loops over clips."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([[np.exp(-((p - q) ** 2).sum() / (2 * bandwidth**2)) for q in b] for p in a]))

    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    return float(xx + yy - 2 * xy)


def test_mmd_equals_the_definition() -> None:
    x, y = gaussian(7, 0.5, 1), gaussian(9, 0.0, 2)
    reference = KernelReference.of(ClipSets.of(y))
    found = MMD.between(ClipSets.of(x), reference, np.arange(7)).value(np.arange(7))
    assert found == pytest.approx(naive_mmd(x, y, reference.bandwidth), abs=1e-6)


def test_mmd_of_equal_distributions_is_zero_on_average_at_any_size() -> None:
    values = []
    for seed in range(60):
        reference = KernelReference.of(sets(12, 0.0, 1000 + seed))
        values.append(MMD.between(sets(8, 0.0, seed), reference, np.arange(8)).value(np.arange(8)))
    numbers = np.array(values, dtype=float)
    assert abs(numbers.mean()) < 3 * numbers.std() / np.sqrt(60)
    assert numbers.min() < 0


def test_mmd_grows_with_the_shift() -> None:
    reference = KernelReference.of(sets(64, 0.0, 1))
    clips = np.arange(64)
    values = [MMD.between(sets(64, s, 2), reference, clips).value(clips) for s in (0, 0.3, 0.6, 1.2, 3)]
    assert values == sorted(values, key=lambda v: v or 0)
    assert (values[-1] or 0) > 0.5


def test_pairs_of_one_prompt_never_count() -> None:
    """Three samples of each prompt that are the same clip tell nothing more than one."""
    x, reference = gaussian(10, 0.3, 1), KernelReference.of(sets(20, 0.0, 2))
    once = MMD.between(ClipSets.of(x), reference, np.arange(10)).value(np.arange(10))
    thrice = MMD.between(ClipSets.of(np.repeat(x, 3, 0)), reference, np.repeat(np.arange(10), 3))
    assert thrice.value(np.arange(30)) == pytest.approx(once, abs=1e-9)
    assert thrice.value(np.array([0, 1, 2])) is None


def test_resampling_is_the_same_as_scoring_the_resampled_clips() -> None:
    x, reference = gaussian(10, 0.3, 1), KernelReference.of(sets(20, 0.0, 2))
    drawn = np.array([3, 3, 1, 0, 9, 9, 9, 5])
    whole = MMD.between(ClipSets.of(x), reference, np.arange(10)).value(drawn)
    again = MMD.between(ClipSets.of(x[drawn]), reference, drawn).value(np.arange(8))
    assert whole == pytest.approx(again, abs=1e-9)


@given(st.permutations(list(range(8))))
@settings(max_examples=20, deadline=None)
def test_set_distances_do_not_depend_on_the_order(order: list[int]) -> None:
    x, y = sets(8, 0.4, 1), sets(12, 0.0, 2)
    mmd = MMD.between(x, KernelReference.of(y), np.arange(8))
    moments, coverage = Moments.of(x), Coverage.between(x, y)
    straight, mixed = np.arange(8), np.array(order)
    assert mmd.value(mixed) == pytest.approx(mmd.value(straight), abs=1e-12)
    np.testing.assert_allclose(moments.gaussian(mixed)[1], moments.gaussian(straight)[1], atol=1e-12)
    assert coverage.recall(mixed) == coverage.recall(straight)


def test_kernel_blocks() -> None:
    x = gaussian(3)
    kernel = clip_kernel(ClipSets.of(x), ClipSets.of(x), 2.0)
    wanted = np.exp(-((x[0][:, None] - x[2][None]) ** 2).sum(-1) / 8).mean()
    assert kernel[0, 2] == pytest.approx(wanted, abs=1e-6)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-9)


def test_median_distance_leaves_out_windows_of_one_clip() -> None:
    points = np.array([[[0.0], [100.0]], [[3.0], [103.0]]], np.float32)
    assert median_distance(ClipSets.of(points)) == pytest.approx(np.median([3, 103, 97, 3]))


def test_squared_distances() -> None:
    a, b = gaussian(5)[:, 0], gaussian(6, 1.0, 3)[:, 0]
    np.testing.assert_allclose(squared_distances(a, b), ((a[:, None] - b[None]) ** 2).sum(-1), atol=1e-4)


def test_a_reference_of_one_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        KernelReference.of(sets(1))


def test_frechet_equals_the_matrix_square_root_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = (np.cov(rng.standard_normal((4, 50))) for _ in range(2))
    ma, mb = rng.standard_normal((2, 4))
    root = np.real(scipy.linalg.sqrtm(a @ b))
    wanted = ((ma - mb) ** 2).sum() + np.trace(a + b - 2 * root)
    assert frechet_distance(ma, a, mb, b) == pytest.approx(wanted, abs=1e-9)


def test_frechet_of_equal_and_of_singular_gaussians() -> None:
    flat = np.diag([1.0, 0.0, 0.0])
    assert frechet_distance(np.zeros(3), flat, np.zeros(3), flat) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(np.zeros(3), flat, np.ones(3), np.zeros((3, 3))) == pytest.approx(4.0)


def test_moments_equal_numpy_on_the_resample() -> None:
    x, drawn = gaussian(6, 0.2, 5), np.array([0, 0, 3, 5])
    mean, covariance = Moments.of(ClipSets.of(x)).gaussian(drawn)
    rows = x[drawn].reshape(-1, 4).astype(np.float64)
    np.testing.assert_allclose(mean, rows.mean(0), atol=1e-9)
    np.testing.assert_allclose(covariance, np.cov(rows.T), atol=1e-9)


def test_clips_of_different_lengths_weigh_alike_in_the_kernel_and_by_length_in_the_moments() -> None:
    x, y = gaussian(6, 0.3, 1, windows=4), gaussian(9, 0.0, 2)
    ragged = [clip[: 1 + i % 4] for i, clip in enumerate(x)]
    reference = KernelReference.of(ClipSets.of(y))
    found = MMD.between(ClipSets.of(ragged), reference, np.arange(6)).value(np.arange(6))
    assert found == pytest.approx(naive_mmd(ragged, y, reference.bandwidth), abs=1e-6)
    mean, covariance = Moments.of(ClipSets.of(ragged)).gaussian(np.array([1, 1, 3]))
    rows = np.concatenate([ragged[i] for i in (1, 1, 3)]).astype(np.float64)
    np.testing.assert_allclose(mean, rows.mean(0), atol=1e-9)
    np.testing.assert_allclose(covariance, np.cov(rows.T), atol=1e-9)


def test_sets_of_clips_can_be_chosen_and_thinned() -> None:
    points = [np.full((n, 2), n, np.float32) for n in (3, 1, 5)]
    made = ClipSets.of(points)
    assert made.select(np.array([2, 0])).counts.tolist() == [5, 3]
    assert made.thinned(2).counts.tolist() == [2, 1, 3]
    assert made.owner.tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2]
    with pytest.raises(ValueError, match="at least one"):
        ClipSets.of([points[0], points[0][:0]])


def test_kernel_in_blocks_equals_the_kernel_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sets(9, seed=4)
    whole = clip_kernel(x, x, 1.5)
    monkeypatch.setattr("mfbench.metrics.distances._BLOCK_VALUES", 50)
    np.testing.assert_allclose(clip_kernel(x, x, 1.5), whole, atol=1e-7)


def test_recall_sees_lost_modes_and_precision_invented_ones() -> None:
    modes = np.repeat(np.array([0.0, 20.0]), 20)[:, None, None].astype(np.float32)
    real = ClipSets.of(gaussian(40, 0.0, 1) + modes)
    same, half = ClipSets.of(gaussian(40, 0.0, 2) + modes), sets(40, 0.0, 3)
    astray = ClipSets.of(gaussian(40, 0.0, 4) + 2 * modes)
    clips = np.arange(40)
    assert (Coverage.between(same, real).recall(clips) or 0) > 0.8
    assert (Coverage.between(half, real).recall(clips) or 0) == pytest.approx(0.5, abs=0.1)
    assert (Coverage.between(half, real).precision(clips) or 0) > 0.8
    assert (Coverage.between(astray, real).precision(clips) or 0) == pytest.approx(0.5, abs=0.1)
    assert Coverage.between(same, real).recall(np.array([0, 1])) is None
    assert Coverage.between(same, real.select(np.array([0, 1]))).precision(clips) is None
