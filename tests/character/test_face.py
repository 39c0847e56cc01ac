from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mfbench.character.face import DARK, FACE_PARAMETERS, clip_to_ranges, render
from mfbench.character.identity import IDENTITIES, identity_parameters


def parameters(identity: int = 0, frames: int = 1, **values: float) -> NDArray[np.float32]:
    """Still frames of an identity with some values set."""
    out = np.zeros((frames, len(FACE_PARAMETERS)), np.float32)
    out[:, FACE_PARAMETERS.index("width")] = 0.5
    out[:, -23:] = identity_parameters(IDENTITIES[identity])
    for name, value in values.items():
        out[:, FACE_PARAMETERS.index(name)] = value
    return out


def cast_of_all() -> NDArray[np.float32]:
    return np.concatenate([parameters(i, 5, open=0.1 * (i % 8), roll=0.01 * i) for i in range(16)])


def dark_area(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of mouth-dark pixels per frame."""
    near = np.abs(frames.astype(np.float32) - DARK).max(-1) < 40
    return np.asarray(near.mean((1, 2)))


@pytest.mark.parametrize("size_px", [32, 64, 90])
def test_shape(size_px: int) -> None:
    frames = render(parameters(frames=3), size_px)
    assert frames.shape == (3, size_px, size_px, 3)
    assert frames.dtype == np.uint8


def test_no_frames_in_no_frames_out() -> None:
    assert render(parameters()[:0], 32).shape == (0, 32, 32, 3)


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[frames, 34\].*\(3, 33\)"):
        render(np.zeros((3, 33), np.float32), 32)


def test_values_out_of_range_are_clipped() -> None:
    rng = np.random.default_rng(0)
    wild = (5 * rng.standard_normal((20, 34))).astype(np.float32)
    np.testing.assert_array_equal(render(wild, 32), render(clip_to_ranges(wild), 32))


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    together = cast_of_all()  # more than one block, all styles mixed
    order = np.random.default_rng(1).permutation(len(together))
    frames = render(together, 32)
    np.testing.assert_array_equal(render(together[order], 32), frames[order])
    np.testing.assert_array_equal(render(together[7:8], 32)[0], frames[7])


def test_every_frame_has_its_own_palette() -> None:
    pair = parameters(frames=2)
    red = FACE_PARAMETERS.index("background_r")
    pair[0, red : red + 3], pair[1, red : red + 3] = (1, 0, 0), (0, 0, 1)
    first, second = render(pair, 32)[:, 8, 0].astype(int)
    assert first[0] > 200
    assert first[2] < 20
    assert second[2] > 200
    assert second[0] < 20


def test_light_scales_the_picture() -> None:
    dim, neutral = render(np.concatenate([parameters(light=0.5), parameters(light=1.0)]), 32).astype(float)
    np.testing.assert_allclose(dim, neutral / 2, atol=2.0)  # full light clips at white


@pytest.mark.parametrize("identity", [0, 7, 13])
def test_the_dark_of_the_mouth_grows_with_opening(identity: int) -> None:
    levels = np.linspace(0, 1, 9)
    frames = render(np.concatenate([parameters(identity, open=level) for level in levels]), 64)
    hair_and_eyes = dark_area(frames[:1])[0]
    area = dark_area(frames[:, 32:60])
    assert (np.diff(area) > 0).all()
    assert hair_and_eyes < 0.3


def test_each_motion_parameter_is_seen() -> None:
    still = render(parameters(open=0.5, teeth=0.4), 32).astype(int)
    for name in FACE_PARAMETERS[:11]:
        # small enough a step to stay legal, large enough to see
        start = parameters(open=0.5, teeth=0.4)
        start[:, FACE_PARAMETERS.index(name)] += 0.12
        assert np.abs(render(start, 32).astype(int) - still).max() > 3, name


def test_identities_look_different() -> None:
    frames = render(np.concatenate([parameters(i) for i in range(16)]), 32).astype(float)
    distance = np.abs(frames[:, None] - frames[None]).mean((2, 3, 4))
    assert distance[~np.eye(16, dtype=bool)].min() > 8


def test_small_pictures_are_averages_of_large_ones() -> None:
    some = cast_of_all()[::5]
    large = render(some, 128).astype(float).reshape(16, 32, 4, 32, 4, 3).mean((2, 4))
    assert np.abs(large - render(some, 32)).mean() < 2.5
