from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from mfbench.metrics.texture_spectrum import FINE, fine_detail_db

SIZE = 32


def one(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32)[None, None]


def texture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, 20, (SIZE, SIZE))


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_white_noise_has_the_share_of_the_area(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).normal(128, 20, (1, 64, *size)).astype(np.float32)
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None])
    share = 10 ** (fine_detail_db(noise).astype(np.float64) / 10)
    assert share.mean() == pytest.approx((radius >= FINE).mean(), rel=0.02)


@pytest.mark.parametrize(("period_px", "fine"), [(3.0, True), (6.0, False)])
def test_waves_on_either_side_of_the_limit(period_px: float, fine: bool) -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for along in (rows, columns, (rows + columns) / np.sqrt(2)):
        found = fine_detail_db(one(128 + 60 * np.sin(2 * np.pi * along / period_px)))[0, 0]
        assert (found > -1) if fine else (found < -25)


def test_a_slope_has_no_fine_detail_though_its_ends_differ() -> None:
    slope = np.tile(np.linspace(20, 230, SIZE), (SIZE, 1))
    assert fine_detail_db(one(slope))[0, 0] < -30
    power = np.abs(np.fft.fft2(slope - slope.mean())) ** 2
    radius = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None])
    assert 10 * np.log10(power[radius >= FINE].sum() / power.sum()) > -15  # what the window is for


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), gain=st.floats(0.5, 2), level=st.floats(-60, 60))
def test_contrast_and_brightness_change_nothing_but_the_weight_of_rounding(
    seed: int, gain: float, level: float
) -> None:
    smooth = ndimage.gaussian_filter(texture(seed), 0.7)
    plain, other = (fine_detail_db(one(p))[0, 0] for p in (smooth, level + gain * smooth))
    assert other == pytest.approx(plain, abs=0.1)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_blur_takes_detail_and_sharpening_brings_it(seed: int) -> None:
    sharp = ndimage.gaussian_filter(texture(seed), 0.8)
    pictures = [ndimage.gaussian_filter(sharp, 1.5), ndimage.gaussian_filter(sharp, 0.7), sharp]
    pictures.append(sharp + (sharp - pictures[1]))
    values = [fine_detail_db(one(picture))[0, 0] for picture in pictures]
    assert values == sorted(values)
    assert values[-1] > values[0] + 6


def test_the_power_as_another_library_measures_it() -> None:
    picture = ndimage.gaussian_filter(texture(3), 0.6)
    side = signal.windows.hann(SIZE + 2)[1:-1]
    window = np.outer(side, side)
    mean = (picture * window).sum() / window.sum()
    power = np.abs(np.fft.fftshift(np.fft.fft2((picture - mean) * window))) ** 2
    frequency = np.fft.fftshift(np.fft.fftfreq(SIZE))
    fine = np.add.outer(frequency**2, frequency**2) >= FINE**2
    scale = (window**2).sum() * SIZE**2
    share = (power[fine].sum() / scale + fine.mean() / 12) / (power.sum() / scale + 1 / 12)
    assert fine_detail_db(one(picture))[0, 0] == pytest.approx(10 * np.log10(share), abs=1e-3)


def test_a_flat_picture_has_no_spectrum_and_a_smooth_one_the_detail_of_rounding() -> None:
    assert np.isnan(fine_detail_db(one(np.full((SIZE, SIZE), 77.0)))).all()
    rows, _ = np.mgrid[:SIZE, :SIZE]
    assert -60 < fine_detail_db(one(100 + 3 * rows))[0, 0] < -30
