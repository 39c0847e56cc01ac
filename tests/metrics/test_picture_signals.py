from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2hsv

from mfbench.metrics.picture_signals import LUMA, picture_signals


def one(picture: np.ndarray) -> np.ndarray:
    """A picture [height, width, 3] as one clip of one frame."""
    return picture.astype(np.uint8)[None, None]


def random_clip(seed: int, frames: int = 2, size: tuple[int, int] = (24, 18)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (1, frames, *size, 3), dtype=np.uint8)


def grey_picture(levels: np.ndarray) -> np.ndarray:
    return one(np.repeat(np.round(levels)[..., None], 3, axis=-1).clip(0, 255))


@given(seed=st.integers(0, 2**16))
def test_brightness_contrast_and_saturation_as_other_libraries_see_them(seed: int) -> None:
    clip = random_clip(seed)
    found = picture_signals(clip)
    for frame in range(2):
        grey = np.asarray(Image.fromarray(clip[0, frame]).convert("L"), dtype=np.float64)
        assert found.luma[0, frame] == pytest.approx(grey.mean(), abs=0.5)
        assert found.contrast[0, frame] == pytest.approx(grey.std(), abs=0.5)
        assert found.saturation[0, frame] == pytest.approx(rgb2hsv(clip[0, frame])[..., 1].mean(), abs=1e-5)
    np.testing.assert_allclose(found.colour, clip.astype(np.float64).mean((2, 3)), rtol=1e-5)


def test_colourfulness_pixel_by_pixel() -> None:
    clip = random_clip(3, frames=1)
    red_green, yellow_blue = [], []
    for row in clip[0, 0].tolist():
        for red, green, blue in row:
            red_green.append(red - green)
            yellow_blue.append(0.5 * (red + green) - blue)
    count = len(red_green)
    means = [sum(values) / count for values in (red_green, yellow_blue)]
    squares = [
        sum((value - mean) ** 2 for value in values) / count
        for values, mean in zip((red_green, yellow_blue), means, strict=True)
    ]
    wanted = sum(squares) ** 0.5 + 0.3 * (means[0] ** 2 + means[1] ** 2) ** 0.5
    assert picture_signals(clip).colourfulness[0, 0] == pytest.approx(wanted, rel=1e-5)
    assert picture_signals(grey_picture(np.full((16, 16), 90))).colourfulness[0, 0] == pytest.approx(
        0, abs=1e-4
    )


def test_sharpness_is_the_log_mean_square_of_a_laplacian_and_falls_with_blur() -> None:
    clip = random_clip(4, frames=1)
    inner = ndimage.laplace(clip[0, 0].astype(np.float64) @ LUMA.astype(np.float64))[1:-1, 1:-1]
    assert picture_signals(clip).sharpness[0, 0] == pytest.approx(np.log((inner**2).mean() + 1), rel=1e-5)
    levels = np.random.default_rng(5).uniform(0, 255, (32, 32))
    values = [
        picture_signals(grey_picture(ndimage.gaussian_filter(levels, blur))).sharpness[0, 0]
        for blur in (0, 0.5, 1, 2)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1] + 3


@pytest.mark.parametrize("sigma", [2.0, 5.0, 12.0, 20.0])
def test_white_noise_on_a_flat_picture_is_recovered(sigma: float) -> None:
    noise = np.random.default_rng(6).normal(0, sigma, (128, 128))
    rounded = np.sqrt(sigma**2 + 1 / 12)  # rounding to whole levels is noise too
    assert picture_signals(grey_picture(128 + noise)).noise[0, 0] == pytest.approx(rounded, rel=0.05)


def test_a_slope_has_no_noise() -> None:
    rows, columns = np.mgrid[:32, :32]
    assert picture_signals(grey_picture(10 + 3 * rows + 4 * columns)).noise[0, 0] < 1e-3


def test_blocks_are_seen_on_their_grid_only() -> None:
    rows, columns = np.mgrid[:64, :64]
    checker = 100 + 40 * ((rows // 8 + columns // 8) % 2)
    blockiness = [
        float(picture_signals(grey_picture(levels)).blockiness[0, 0])
        for levels in (checker, np.full((64, 64), 100), 10 + rows + 2 * columns, np.roll(checker, 3, (0, 1)))
    ]
    assert blockiness[0] == pytest.approx(40 / 1e-3, rel=1e-3)  # nothing but the guard lies inside blocks
    assert blockiness[1] == pytest.approx(0, abs=1e-6)
    assert blockiness[2] == pytest.approx(0, abs=1e-3)
    assert blockiness[3] == pytest.approx(-1, abs=1e-3)


def test_a_step_at_borders_over_the_steps_inside() -> None:
    columns = np.arange(64)
    levels = np.tile(20 + columns + 2 * (columns // 8), (64, 1))  # 1 inside, 3 across; rows are flat
    assert picture_signals(grey_picture(levels)).blockiness[0, 0] == pytest.approx((3.001 / 1.001 - 1) / 2)


@given(dark=st.integers(0, 100), bright=st.integers(0, 100))
def test_clipped_is_the_share_of_values_at_the_ends(dark: int, bright: int) -> None:
    values = np.full(16 * 16 * 3, 128, np.uint8)
    values[:dark], values[len(values) - bright :] = 0, 255
    found = picture_signals(values.reshape(1, 1, 16, 16, 3)).clipped
    assert found[0, 0] == pytest.approx((dark + bright) / len(values), rel=1e-5)


def test_change_is_the_mean_absolute_difference_and_reaches_over_blocks() -> None:
    clip = random_clip(7, frames=6)
    whole = picture_signals(clip)
    wanted = np.abs(np.diff(clip.astype(np.int64), axis=1)).mean((2, 3, 4))
    np.testing.assert_allclose(whole.change, wanted, rtol=1e-5)
    first, rest = picture_signals(clip[:, :2]), picture_signals(clip[:, 2:], clip[:, 1])
    np.testing.assert_array_equal(np.concatenate([first.change, rest.change], 1), whole.change)
    np.testing.assert_array_equal(np.concatenate([first.noise, rest.noise], 1), whole.noise)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 1, 16, 16, 3), np.float32),
        np.zeros((1, 16, 16, 3), np.uint8),
        np.zeros((1, 1, 16, 8, 3), np.uint8),
    ],
)
def test_other_shapes_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
        picture_signals(frames)
