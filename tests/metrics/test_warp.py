"""What motion compensation leaves between frames."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips, draw

from mfbench.metrics.observe import Observation
from mfbench.metrics.picture_signals import picture_signals
from mfbench.metrics.warp import BLOCK_PX, REACH_PX, warp_error
from mfbench.registry import METRICS


def waves(shift: float, size: int = 32) -> np.ndarray:
    """A smooth texture moved by so many pixels to the right, float32 [size, size]."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    x = columns - shift
    return (128 + 40 * np.sin(x / 6) * np.cos(rows / 7) + 30 * np.sin((x + rows) / 9)).astype(np.float32)


def random_film(seed: int, frames: int = 3, size: tuple[int, int] = (24, 16)) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (1, frames, *size)).astype(np.float32)


def block_by_block(film: np.ndarray) -> list[float]:
    """The same by a solver of least squares: the stiffness is two more rows of the system."""
    found = []
    for before, after in pairwise(film):
        middle, change = (before.astype(np.float64) + after) / 2, after.astype(np.float64) - before
        down, right = np.gradient(middle)
        left = []
        for row in range(0, film.shape[1] - BLOCK_PX + 1, BLOCK_PX):
            for column in range(0, film.shape[2] - BLOCK_PX + 1, BLOCK_PX):
                here = (slice(row, row + BLOCK_PX), slice(column, column + BLOCK_PX))
                slopes = np.stack([down[here].ravel(), right[here].ravel()], 1)
                system = np.concatenate([slopes, BLOCK_PX * np.eye(2)])
                moved = np.linalg.lstsq(system, np.r_[-change[here].ravel(), 0, 0], rcond=None)[0]
                moved *= min(1, REACH_PX / max(np.linalg.norm(moved), 1e-9))
                left.append(np.abs(change[here].ravel() + slopes @ moved).mean())
        found.append(float(np.mean(left)))
    return found


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_as_a_solver_of_least_squares_finds_it(seed: int) -> None:
    film = random_film(seed)
    assert warp_error(film)[0] == pytest.approx(block_by_block(film[0]), rel=1e-3)


def test_the_texture_of_a_moving_picture_is_explained_and_flicker_is_not() -> None:
    still = np.stack([waves(0), waves(0)])[None]
    assert warp_error(still)[0] == pytest.approx([0.0], abs=1e-6)
    moved = np.stack([waves(0), waves(0.5)])[None]
    change = np.abs(np.diff(moved, axis=1)).mean()
    assert warp_error(moved)[0, 0] < 0.1 * change
    flat = np.stack([np.full((16, 16), level, np.float32) for level in (90, 97, 90)])[None]
    assert warp_error(flat)[0] == pytest.approx([7.0, 7.0])


@pytest.mark.parametrize("shift", [0.1, 0.4, 0.8, -0.8])
def test_a_slope_that_moves_leaves_what_stiffness_holds_back(shift: float) -> None:
    """On a slope of s grey levels per pixel a share 1 / (s^2 + 1) of a step stays; here s = 5."""
    columns = np.tile(5 * np.arange(16, dtype=np.float32), (16, 1))
    film = np.stack([columns, columns - np.float32(5 * shift)])[None]
    assert warp_error(film)[0] == pytest.approx([5 * abs(shift) / 26], rel=1e-3)


def test_faster_than_a_pixel_is_not_explained() -> None:
    columns = np.tile(5 * np.arange(16, dtype=np.float32), (16, 1))
    film = np.stack([columns, columns - np.float32(5 * 3)])[None]
    assert warp_error(film)[0] == pytest.approx([5 * (3 - REACH_PX)], rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), level=st.floats(-50, 50))
def test_whatever_does_not_change_what_moves_changes_nothing(seed: int, level: float) -> None:
    film = random_film(seed, size=(16, 16))
    found = warp_error(film)
    np.testing.assert_allclose(warp_error(film + np.float32(level)), found, rtol=1e-3)
    np.testing.assert_allclose(warp_error(film.transpose(0, 1, 3, 2)), found, rtol=1e-3)
    np.testing.assert_allclose(warp_error(film[:, ::-1]), found[:, ::-1], rtol=1e-3)
    np.testing.assert_allclose(warp_error(film[..., ::-1]), found, rtol=1e-3)
    assert (found <= np.sqrt((np.diff(film, axis=1) ** 2).mean((2, 3)))).all()  # never worse than no motion


def test_noise_raises_it_step_by_step() -> None:
    noise = np.random.default_rng(0).standard_normal((1, 6, 32, 32)).astype(np.float32)
    moving = np.stack([waves(0.3 * k) for k in range(6)])[None]
    values = [float(warp_error(moving + np.float32(sigma) * noise).mean()) for sigma in (0, 1, 2, 4, 8)]
    assert values == sorted(values)
    # the difference of two frames has sqrt(2) sigma, its mean absolute value sqrt(2 / pi) of that; a block
    # of 64 pixels with two unknowns explains little of it
    assert values[-1] == pytest.approx(8 * 2 / np.sqrt(np.pi), rel=0.08)


def test_many_frames_are_those_of_few_and_reach_over_blocks() -> None:
    film = random_film(3, frames=150, size=(16, 16))
    whole = warp_error(film)
    assert whole.shape == (1, 149)
    np.testing.assert_allclose(
        np.concatenate([warp_error(film[:, k : k + 2]) for k in range(149)], 1), whole, rtol=1e-4
    )
    clip = np.random.default_rng(5).integers(0, 256, (1, 6, 24, 18, 3), dtype=np.uint8)
    first, rest = picture_signals(clip[:, :2]), picture_signals(clip[:, 2:], clip[:, 1])
    joined = np.concatenate([first.warp, rest.warp], 1)
    np.testing.assert_allclose(joined, picture_signals(clip).warp, rtol=1e-4)


def test_real_clips_are_better_than_trembling_flickering_and_noisy_ones(
    real: Observation, spoken: RealClips
) -> None:
    rng = np.random.default_rng(1)
    frames, face = spoken.frames[:6].astype(np.float64), spoken.face[:6]
    light = 1 + 0.03 * rng.standard_normal((6, frames.shape[1], 1, 1, 1))
    damaged = {
        "noise": frames + rng.normal(0, 4, frames.shape),
        "flicker": frames * light,
        "trembling": draw(face + 0.02 * rng.standard_normal(face.shape)),
    }
    metric, few = METRICS.build({"type": "warp_error_lite"}), real.select(np.arange(6))
    plain = np.array(metric.scores(few, real, spoken.prompts).per_clip(), dtype=np.float64)
    for name, pictures in damaged.items():
        seen = replace(few, picture=picture_signals(pictures.clip(0, 255).round().astype(np.uint8)))
        worse = np.array(metric.scores(seen, real, spoken.prompts).per_clip(), dtype=np.float64)
        assert (worse > 1.1 * plain).all(), name
    frozen = replace(few, picture=picture_signals(np.repeat(spoken.frames[:6, :1], 9, axis=1)))
    assert metric.scores(frozen, real, spoken.prompts).per_clip() == pytest.approx([0.0] * 6, abs=1e-6)
