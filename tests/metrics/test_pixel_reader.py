from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import FPS, RealClips, draw

from mfbench.character.face import LIGHT, MOTION_PARAMETERS, RANGES
from mfbench.character.identity import IDENTITIES, identity_parameters
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.readers.images import shrink, strength
from mfbench.metrics.readers.pixels import FaceReading


def test_everyone_is_recognised_held_out_ones_too(spoken: RealClips, real: Observation) -> None:
    assert (real.face.identity == spoken.prompts.identity).all()


def test_motion_is_read(spoken: RealClips, real: Observation) -> None:
    least = {"open": 0.98, "width": 0.88, "tx": 0.98, "ty": 0.98, "roll": 0.98, "yaw": 0.95, "blink": 0.93}
    for name, wanted in least.items():
        i = MOTION_PARAMETERS.index(name)
        found = np.corrcoef(real.face.motion[..., i].ravel(), spoken.face[..., i].ravel())[0, 1]
        assert found > wanted, name


def test_noise_raises_the_residual_step_by_step(spoken: RealClips, readers: Readers) -> None:
    clean = spoken.frames[:8]
    noise = np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)
    residuals, rates = [], []
    for spread in (0, 8, 25, 80):
        frames = np.clip(clean + spread * noise, 0, 255).astype(np.uint8)
        reading = readers.pixels.read(frames, FPS)
        residuals.append(reading.residual.mean())
        rates.append(reading.mouth.mean())
    assert residuals == sorted(residuals)
    assert rates[0] > 0.98
    assert rates[1] > 0.9
    assert rates[3] < 0.05


def test_what_is_no_face_is_flagged(spoken: RealClips, readers: Readers) -> None:
    clean = spoken.frames[:8]
    for frames in (
        np.random.default_rng(0).integers(0, 255, clean.shape).astype(np.uint8),
        np.full_like(clean, 127),
        np.ascontiguousarray(clean[:, :, ::-1]),
    ):
        assert readers.pixels.read(frames, FPS).mouth.mean() < 0.1


BYTE = st.integers(0, 255)
COLOUR = st.tuples(BYTE, BYTE, BYTE)
LIGHTS = st.floats(*RANGES["light"], width=32)


def looked_at(readers: Readers, picture: np.ndarray) -> FaceReading:
    """One picture [32, 32, 3], held for a second."""
    shown = np.broadcast_to(np.clip(picture, 0, 255).astype(np.uint8), (1, round(FPS), *picture.shape))
    return readers.pixels.read(np.ascontiguousarray(shown), FPS)


def assert_no_face(reading: FaceReading) -> None:
    assert not reading.drawn.any()
    assert not reading.mouth.any()


@pytest.mark.parametrize("level", [0, 1, 8, 16, 32, 48, 60, 96, 128, 200, 255])
def test_a_grey_of_any_level_is_no_face(readers: Readers, level: int) -> None:
    assert_no_face(looked_at(readers, np.full((32, 32, 3), level)))


@settings(max_examples=200)
@given(colour=COLOUR)
def test_a_picture_of_one_colour_is_no_face(readers: Readers, colour: tuple[int, int, int]) -> None:
    assert_no_face(looked_at(readers, np.full((32, 32, 3), colour)))


@settings(max_examples=100)
@given(level=st.floats(0, 90), spread=st.floats(0, 20), seed=st.integers(0, 999))
def test_noise_on_a_dark_picture_is_no_face(readers: Readers, level: float, spread: float, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal((32, 32, 3))
    assert_no_face(looked_at(readers, level + spread * noise))


@settings(max_examples=100)
@given(one=st.integers(0, 90), step=st.integers(-30, 30), across=st.booleans(), hard=st.booleans())
def test_dark_halves_and_slopes_are_no_face(
    readers: Readers, one: int, step: int, across: bool, hard: bool
) -> None:
    along = np.linspace(0, 1, 32)
    part = np.round(along) if hard else along
    rows = np.broadcast_to(one + step * part[:, None, None], (32, 32, 3))
    assert_no_face(looked_at(readers, rows.swapaxes(0, 1) if across else rows))


def test_any_noise_is_no_face(spoken: RealClips, readers: Readers) -> None:
    rng, shape = np.random.default_rng(2), spoken.frames[:4].shape
    assert_no_face(readers.pixels.read(rng.integers(0, 256, shape, dtype=np.uint8), FPS))
    for level, spread in ((128, 30), (128, 3), (48, 6), (8, 2), (0, 8), (0, 2)):
        frames = level + spread * rng.standard_normal(shape, dtype=np.float32)
        assert_no_face(readers.pixels.read(np.clip(frames, 0, 255).astype(np.uint8), FPS))


@pytest.mark.parametrize("part", [0.01, 0.02, 0.05, 0.1])
def test_a_face_in_the_dark_is_no_face(spoken: RealClips, readers: Readers, part: float) -> None:
    assert_no_face(readers.pixels.read((part * spoken.frames[:8]).astype(np.uint8), FPS))


def test_a_face_whose_mouth_is_painted_over_shows_no_mouth(spoken: RealClips, readers: Readers) -> None:
    frames = spoken.frames.copy()
    frames[:, :, 17:29, 8:24] = frames[:, :, 17:29, 8:24].mean((2, 3), keepdims=True).astype(np.uint8)
    reading = readers.pixels.read(frames, FPS)
    assert reading.drawn.mean() > 0.1  # the rest of the face is there
    assert not reading.mouth.any()


@settings(max_examples=30)
@given(light=LIGHTS)
def test_legal_light_costs_no_face_that_its_drawing_explains(
    spoken: RealClips, readers: Readers, light: float
) -> None:
    face = spoken.face[:8].copy()
    face[..., LIGHT] = light
    reading = readers.pixels.read(draw(face, 64), FPS)
    np.testing.assert_array_equal(reading.drawn, reading.residual <= readers.pixels.face_limit)
    if light <= 1.1:  # beyond, the brightest colours are cut off and the face is not what the reader knows
        assert reading.drawn.mean() > 0.85
        assert reading.mouth.mean() > 0.95


def test_less_than_the_legal_brightness_is_a_face_for_a_while(spoken: RealClips, readers: Readers) -> None:
    reading = readers.pixels.read((0.4 * spoken.frames[:16]).astype(np.uint8), FPS)
    np.testing.assert_array_equal(reading.drawn, reading.residual <= readers.pixels.face_limit)
    assert reading.drawn.mean() > 0.5


def test_strength_is_the_part_of_the_contrast_that_is_there(spoken: RealClips) -> None:
    drawn = spoken.frames[:2, :3].astype(np.float32)
    for part, offset in ((1.0, 0.0), (0.5, 40.0), (0.25, -7.0), (-1.0, 255.0)):
        np.testing.assert_allclose(strength(part * drawn + np.float32(offset), drawn), part, atol=1e-4)
    assert (strength(np.full_like(drawn, 77), drawn) == 0).all()
    assert (strength(drawn, np.zeros_like(drawn)) == 0).all()


def test_colours_off_the_palette_are_flagged(spoken: RealClips, readers: Readers) -> None:
    odd = spoken.face[:8].copy()
    odd[..., 11:14] = [0.1, 0.9, 0.2]  # green skin
    reading = readers.pixels.read(draw(odd), FPS)
    assert reading.mouth.mean() < 0.2
    assert reading.residual.mean() > 20


def test_likeness_is_one_for_oneself_and_falls_with_the_distance(spoken: RealClips, readers: Readers) -> None:
    own, other = identity_parameters(IDENTITIES[0]), identity_parameters(IDENTITIES[5])
    motion = spoken.face[:1, :16, :11]
    values = []
    for part in (0.0, 0.3, 0.6, 1.0):
        looks = np.broadcast_to(own + np.float32(part) * (other - own), (1, 16, 23))
        reading = readers.pixels.read(draw(np.concatenate([motion, looks], -1)), FPS)
        values.append(float(reading.likeness[..., 0].mean()))
    assert values[0] > 0.98
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.3


def test_large_frames_are_averaged_down(spoken: RealClips, readers: Readers) -> None:
    large = draw(spoken.face[:4, :8], 64)
    assert shrink(large).shape == (4, 8, 32, 32, 3)
    reading = readers.pixels.read(large, FPS)
    assert (reading.identity == spoken.prompts.identity[:4]).all()
    assert np.abs(reading.motion[..., 0] - spoken.face[:4, :8, 0]).mean() < 0.05


def test_wrong_frames_say_what_was_wanted(readers: Readers) -> None:
    with pytest.raises(ValueError, match=r"uint8\[clips, frames, size, size, 3\]"):
        readers.pixels.read(np.zeros((1, 4, 40, 40, 3), np.uint8), FPS)
