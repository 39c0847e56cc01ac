from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfbench.data.media_facts import MediaError
from mfbench.data.pictures import Shaper, square


def picture(image: NDArray[np.uint8]) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("side", "uneven"), [(512, 0.5), (500, 3.0), (130, 15.0)])
def test_a_fine_checkerboard_becomes_grey(side: int, uneven: float) -> None:
    """Where a pixel covers no whole number of source pixels it takes one row or column more or less."""
    board = (255 * (np.indices((side, side)).sum(0) % 2)).astype(np.uint8)
    small = square(picture(np.repeat(board[..., None], 3, axis=2)), 64, 1.0).astype(float)
    assert np.abs(small - 127.5).max() <= uneven
    assert abs(small.mean() - 127.5) < 1


@given(factor=st.integers(1, 9), side=st.integers(1, 24))
def test_every_pixel_is_the_mean_below_it(factor: int, side: int) -> None:
    image = noise(side * factor, side * factor)
    wanted = image.reshape(side, factor, side, factor, 3).mean((1, 3))
    np.testing.assert_allclose(square(picture(image), side, 1.0), wanted, atol=0.6)


def test_the_same_size_is_left_alone() -> None:
    image = noise(64, 64)
    np.testing.assert_array_equal(square(picture(image), 64, 1.0), image)


@pytest.mark.parametrize(("height", "width", "left"), [(32, 64, 16), (32, 47, 7.5)])
def test_the_square_is_the_centre(height: int, width: int, left: float) -> None:
    ramp = np.broadcast_to(4 * np.arange(width), (height, width)).astype(np.uint8)
    cut = square(picture(np.repeat(ramp[..., None], 3, axis=2)), 32, 1.0)[0, :, 0]
    np.testing.assert_allclose(cut, 4 * (left + np.arange(32)), atol=2.01)


@pytest.mark.parametrize(
    ("height", "width", "pixel_aspect", "shape"),
    [
        (64, 128, 1.0, (32, 64, 3)),
        (128, 64, 1.0, (64, 32, 3)),
        (33, 47, 1.0, (32, 46, 3)),
        (64, 64, 2.0, (32, 64, 3)),
        (16, 24, 1.0, (32, 48, 3)),
        (64, 64, 0.5, (64, 32, 3)),
    ],
)
def test_whole_pictures_keep_their_aspect(
    height: int, width: int, pixel_aspect: float, shape: tuple[int, int, int]
) -> None:
    image = noise(height, width)
    small = Shaper(32, "whole", pixel_aspect)(picture(image))
    assert small.shape == shape
    assert small.mean() == pytest.approx(image.mean(), abs=3)


def test_all_pictures_get_the_shape_of_the_first() -> None:
    shaper = Shaper(32, "whole", 1.0)
    assert shaper(picture(noise(64, 128))).shape == shaper(picture(noise(80, 80))).shape == (32, 64, 3)


@pytest.mark.parametrize("pixel_aspect", [0.01, 1000.0])
def test_impossible_pixels_are_refused(pixel_aspect: float) -> None:
    with pytest.raises(MediaError, match="aspect") as caught:
        Shaper(32, "whole", pixel_aspect)
    assert caught.value.reason == "damaged"


def test_a_thread_of_a_picture_is_refused() -> None:
    with pytest.raises(MediaError, match="would become") as caught:
        Shaper(1024, "whole", 1.0)(picture(noise(2, 60000)))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("pixels", ["rgbaf32le", "yaf32le"])
def test_pixels_that_cannot_be_converted_are_refused(pixels: str) -> None:
    with pytest.raises(MediaError, match=f"holds {pixels} pictures, which cannot be converted") as caught:
        square(av.VideoFrame(32, 32, pixels), 32, 1.0)
    assert caught.value.reason == "unreadable"
