from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from skimage.color import rgb2lab

from mfbench.metrics.colour_histogram import HIGH, LOW, NODES, STEP, histogram_distance, lab, lab_histograms

SEEDS = st.integers(0, 2**16)


def random_clip(seed: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (2, 3, 9, 7, 3), dtype=np.uint8)


@given(seed=SEEDS)
def test_colours_as_another_library_sees_them(seed: int) -> None:
    clip = random_clip(seed)
    np.testing.assert_allclose(lab(clip), rgb2lab(clip), atol=0.03)


def test_everything_that_can_be_shown_lies_within_the_nodes() -> None:
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    found = lab(colours)
    assert (found >= LOW - 1e-3).all()
    assert (found <= HIGH + 1e-3).all()
    assert (found.min(0) < LOW + 25).all()
    assert (found.max(0) > HIGH - 7).all()


@given(seed=SEEDS)
def test_shares_add_up_and_keep_the_mean(seed: int) -> None:
    clip = random_clip(seed)
    found = lab_histograms(clip).astype(np.float64)
    assert found.shape == (2, 3, 3, NODES)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    nodes = LOW[:, None] + STEP[:, None] * np.arange(NODES)
    np.testing.assert_allclose((found * nodes).sum(-1), rgb2lab(clip).mean((2, 3)), atol=0.03)


def nodes_of(channel: int) -> np.ndarray:
    return LOW[channel] + STEP[channel] * np.arange(NODES, dtype=np.float64)


@given(seed=SEEDS)
def test_the_distance_of_histograms_is_the_wasserstein_distance(seed: int) -> None:
    one, other = np.random.default_rng(seed).dirichlet(np.full(NODES, 0.2), (2, 3))
    wanted = [wasserstein_distance(nodes_of(c), nodes_of(c), one[c], other[c]) for c in range(3)]
    assert float(histogram_distance(one, other)) == pytest.approx(np.mean(wanted), rel=1e-6)


@settings(max_examples=30)
@given(seed=SEEDS, shift=st.integers(0, 120))
def test_distances_of_pictures_are_near_those_of_their_pixels(seed: int, shift: int) -> None:
    one, other = random_clip(seed, 0, 130)[:1, :1], random_clip(seed + 1, shift, shift + 130)[:1, :1]
    a, b = (lab_histograms(clip)[0, 0].astype(np.float64) for clip in (one, other))
    points = [rgb2lab(clip[0, 0]).reshape(-1, 3) for clip in (one, other)]
    wanted = np.mean([wasserstein_distance(points[0][:, c], points[1][:, c]) for c in range(3)])
    found = float(histogram_distance(a, b))
    assert found <= wanted + 0.05  # sharing brings no colours further apart
    assert found >= wanted - STEP.mean() / 2


@given(seed=SEEDS)
def test_a_distance_is_one(seed: int) -> None:
    a, b, c = np.random.default_rng(seed).dirichlet(np.full(NODES, 0.3), (3, 3))
    assert histogram_distance(a, a) == 0
    assert histogram_distance(a, b) == pytest.approx(histogram_distance(b, a))
    assert histogram_distance(a, c) <= histogram_distance(a, b) + histogram_distance(b, c) + 1e-12


@pytest.mark.parametrize("level", [3, 90, 200])
def test_one_grey_level_is_seen_with_its_size(level: int) -> None:
    flat = np.full((1, 2, 16, 16, 3), level, np.uint8)
    flat[:, 1] += 1
    lightness = rgb2lab(flat)[0, :, 0, 0, 0]
    shares = lab_histograms(flat)[0].astype(np.float64)
    wanted = (lightness[1] - lightness[0]) / 3  # the other two axes stay
    assert 3 * wanted < STEP[0]
    assert histogram_distance(shares[1], shares[0]) == pytest.approx(wanted, abs=0.01)
