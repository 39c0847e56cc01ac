from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity import metric_fid, metric_kid

from mfbench.metrics.full import sets


def clips(count: int, shift: float = 0.0, seed: int = 0, rows: int = 2, dim: int = 4) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((rows, dim)) + shift).astype(np.float32) for _ in range(count)]


def stacked(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.float64)


def test_frechet_equals_the_matrix_square_root_formula():
    x, y = clips(20, 0.4, 1), clips(30, 0.0, 2)
    a, b = stacked(x), stacked(y)
    root = np.real(scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)))
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert sets.frechet(x, y) == pytest.approx(wanted, abs=1e-9)


def test_frechet_equals_torch_fidelity():
    x, y = clips(20, 0.4, 1), clips(30, 0.0, 2)
    stats = [{"mu": stacked(p).mean(0), "sigma": np.cov(stacked(p).T)} for p in (x, y)]
    wanted = metric_fid.fid_statistics_to_metric(*stats, verbose=False)
    assert sets.frechet(x, y) == pytest.approx(wanted["frechet_inception_distance"], abs=1e-9)


def test_polynomial_mmd_equals_torch_fidelity():
    x, y = clips(20, 0.4, 1), clips(20, 0.0, 2)
    a, b = stacked(x), stacked(y)
    cubic = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1.0}
    kernels = [metric_kid.kernel_poly(p, q, **cubic) for p, q in ((a, a), (a, b), (b, b))]
    assert sets.polynomial_mmd(x, y) == pytest.approx(metric_kid.mmd2(*kernels), abs=1e-9)


def test_gaussian_mmd_equals_the_definition():
    x, y = clips(5, 0.5, 1), clips(7, 0.0, 2)
    a, b = stacked(x), stacked(y)
    pairs = [np.linalg.norm(p - q) for i, p in enumerate(b) for q in b[:i]]
    width = np.median(pairs)

    def kernel(p: np.ndarray, q: np.ndarray) -> float:
        return float(np.exp(-((p - q) ** 2).sum() / (2 * width**2)))

    within_a = np.mean([kernel(p, q) for i, p in enumerate(a) for j, q in enumerate(a) if i != j])
    within_b = np.mean([kernel(p, q) for i, p in enumerate(b) for j, q in enumerate(b) if i != j])
    across = np.mean([kernel(p, q) for p in a for q in b])
    assert sets.gaussian_mmd(x, y) == pytest.approx(within_a + within_b - 2 * across, abs=1e-9)


def test_blocks_of_rows_change_nothing(monkeypatch):
    x, y = clips(20, 0.4, 1), clips(30, 0.0, 2)
    whole = sets.polynomial_mmd(x, y), sets.gaussian_mmd(x, y)
    monkeypatch.setattr(sets, "_BLOCK_ROWS", 7)
    assert (sets.polynomial_mmd(x, y), sets.gaussian_mmd(x, y)) == pytest.approx(whole, abs=1e-12)


def test_identical_sets_are_at_no_distance_and_a_shift_is():
    x = clips(40)
    assert sets.frechet(x, x) == pytest.approx(0.0, abs=1e-9)
    for distance in (sets.frechet, sets.polynomial_mmd, sets.gaussian_mmd):
        near, far = distance(clips(40, 0.3, 1), x), distance(clips(40, 1.0, 1), x)
        assert distance(x, x) < near < far


def test_unbiased_distances_are_zero_on_average():
    for distance in (sets.polynomial_mmd, sets.gaussian_mmd):
        found = np.array([distance(clips(10, 0, s), clips(10, 0, 500 + s)) for s in range(60)])
        assert abs(found.mean()) < 3 * found.std() / np.sqrt(60)
        assert found.min() < 0


def test_extrapolation_removes_most_of_the_bias():
    x, y = clips(200, 0.0, 1, rows=1, dim=16), clips(2000, 0.0, 2, rows=1, dim=16)
    found = sets.extrapolate(x, y)
    assert sets.frechet(x, y) > 0.3
    assert abs(found.intercept) < 0.3 * sets.frechet(x, y)
    assert found.slope > 0
    assert found.r2 > 0.8
    assert (found.sizes[0], found.sizes[-1], len(found.sizes)) == (50, 200, 15)
    assert found.distances[-1] == pytest.approx(sets.frechet(x, y))


def test_extrapolation_is_the_line_through_its_own_points():
    found = sets.extrapolate(clips(40, 0.5, 1), clips(60, 0.0, 2))
    design = np.stack([np.ones(len(found.sizes)), 1 / found.sizes], axis=1)
    wanted = np.linalg.lstsq(design, found.distances, rcond=None)[0]
    assert [found.intercept, found.slope] == pytest.approx(wanted)
    assert found.r2 == pytest.approx(np.corrcoef(1 / found.sizes, found.distances)[0, 1] ** 2)


@given(st.permutations(list(range(12))))
@settings(max_examples=10)
def test_the_order_of_clips_changes_nothing(order: list[int]):
    x, y = clips(12, 0.4, 1), clips(12, 0.0, 2)
    mixed = [x[i] for i in order], [y[i] for i in order]
    for distance in (sets.frechet, sets.polynomial_mmd, sets.gaussian_mmd):
        assert distance(*mixed) == distance(x, y)
    assert sets.extrapolate(*mixed).intercept == sets.extrapolate(x, y).intercept


def test_sets_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        sets.frechet(clips(1, rows=1), clips(5))
    with pytest.raises(ValueError, match="at least 2"):
        sets.polynomial_mmd([], clips(5))
    with pytest.raises(ValueError, match="different models"):
        sets.frechet(clips(5, dim=3), clips(5, dim=4))
    with pytest.raises(ValueError, match="too few to extrapolate"):
        sets.extrapolate(clips(2), clips(5))
    with pytest.raises(ValueError, match="do not differ"):
        sets.gaussian_mmd(clips(5), [np.zeros((2, 4), np.float32)] * 5)
