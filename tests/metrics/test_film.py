from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metric_world import FPS, RealClips, real_clips

from mfbench.mel import SAMPLE_RATE_HZ
from mfbench.metrics.film import TooShortError, observe_film
from mfbench.metrics.observe import Observation, Readers, observe

UNIT_S = 0.32  # 4 frames
LEAST_UNITS = 4
UNITS = 24
ROUNDING = 1e-4  # of products of matrices of another size


@dataclass(frozen=True)
class Part:
    frames: np.ndarray
    waveform: np.ndarray


@pytest.fixture(scope="module")
def take() -> RealClips:
    return real_clips("test", 1, seconds=UNITS * UNIT_S)


@pytest.fixture(scope="module")
def whole(take: RealClips, readers: Readers) -> Observation:
    return observe_film([Part(take.frames[0], take.waveform[0])], FPS, readers).seen


def cut(take: RealClips, lengths: list[int]) -> list[Part]:
    """Blocks of so many units."""
    borders_s = UNIT_S * np.cumsum([0, *lengths])
    shown, heard = (np.round(borders_s * rate).astype(int) for rate in (FPS, SAMPLE_RATE_HZ))
    return [
        Part(take.frames[0, shown[k] : shown[k + 1]], take.waveform[0, heard[k] : heard[k + 1]])
        for k in range(len(lengths))
    ]


def arrays(record: object, prefix: str = "") -> dict[str, object]:
    """Everything in a nested record."""
    found: dict[str, object] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        name = f"{prefix}{field.name}"
        found |= arrays(value, f"{name}.") if is_dataclass(value) else {name: value}
    return found


def assert_same(a: Observation, b: Observation) -> None:
    ours, theirs = arrays(a), arrays(b)
    assert len(ours) > 30
    for name, value in ours.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)
        else:
            assert value == theirs[name], name


@st.composite
def splits(draw: st.DrawFn) -> list[int]:
    left, lengths = UNITS, []
    while left >= 2 * LEAST_UNITS:
        lengths.append(draw(st.integers(LEAST_UNITS, left - LEAST_UNITS)))
        left -= lengths[-1]
    return [*lengths, left]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(lengths=splits())
def test_a_film_in_blocks_is_the_whole_film(
    lengths: list[int], take: RealClips, whole: Observation, readers: Readers
) -> None:
    assert sum(lengths) == UNITS
    assert_same(observe_film(iter(cut(take, lengths)), FPS, readers).seen, whole)


@pytest.mark.parametrize("lengths", [[12, 11, 1], [1, 1, 22], [1] * UNITS])
def test_blocks_may_be_short(
    lengths: list[int], take: RealClips, whole: Observation, readers: Readers
) -> None:
    assert_same(observe_film(cut(take, lengths), FPS, readers).seen, whole)


def test_a_film_is_seen_as_the_clip_that_it_is(take: RealClips, whole: Observation, readers: Readers) -> None:
    clip, film = arrays(observe(take.frames, take.mel, readers, take.waveform)), arrays(whole)
    for name, value in film.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(clip[name], value, atol=ROUNDING, rtol=ROUNDING, err_msg=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(clip[name], value, err_msg=name)
        else:
            assert clip[name] == value, name


def test_pictures_are_asked_for_one_block_at_a_time(take: RealClips, readers: Readers) -> None:
    given_out: list[int] = []

    def blocks() -> object:
        for index, part in enumerate(cut(take, [8, 8, 8])):
            given_out.append(index)
            yield part

    observe_film(blocks(), FPS, readers)  # type: ignore[arg-type]
    assert given_out == [0, 1, 2]


@pytest.mark.parametrize("frames", [0, 4, 7])
def test_films_in_which_no_window_fits(frames: int, take: RealClips, readers: Readers) -> None:
    samples = round(frames / FPS * SAMPLE_RATE_HZ)
    blocks = [Part(take.frames[0, :frames], take.waveform[0, :samples])] if frames else []
    with pytest.raises(TooShortError, match=r"shorter than 0\.64 s"):
        observe_film(blocks, FPS, readers)


def test_a_real_clip_is_a_character_and_noise_is_none(take: RealClips, readers: Readers) -> None:
    wave = take.waveform[0]
    assert observe_film([Part(take.frames[0], wave)], FPS, readers).is_character
    noise = np.random.default_rng(0).integers(0, 256, take.frames[0].shape, dtype=np.uint8)
    assert not observe_film([Part(noise, wave)], FPS, readers).is_character
    flat = np.full_like(take.frames[0], 128)
    assert not observe_film([Part(flat, wave)], FPS, readers).is_character


@pytest.mark.parametrize(("level", "spread"), [(0, 0), (8, 0), (16, 0), (48, 0), (60, 0), (0, 3), (40, 5)])
def test_a_film_without_a_picture_is_no_character(
    level: int, spread: int, take: RealClips, readers: Readers
) -> None:
    noise = np.random.default_rng(2).standard_normal(take.frames[0].shape, dtype=np.float32)
    frames = np.clip(level + spread * noise, 0, 255).astype(np.uint8)
    film = observe_film([Part(frames, take.waveform[0])], FPS, readers)
    assert not film.is_character
    assert not film.seen.face.drawn.any()
    assert not film.seen.face.mouth.any()


def test_a_film_that_fades_to_black_loses_its_face_there(take: RealClips, readers: Readers) -> None:
    faded = take.frames[0].copy()
    faded[48:] = 0
    film = observe_film([Part(faded, take.waveform[0])], FPS, readers)
    assert film.is_character
    assert film.seen.face.drawn[0, :12].mean() > 0.9
    assert not film.seen.face.drawn[0, 12:].any()


def test_the_beginning_decides_whether_it_is_a_character(take: RealClips, readers: Readers) -> None:
    noise = np.random.default_rng(1).integers(0, 256, take.frames[0].shape, dtype=np.uint8)
    lost, late = take.frames[0].copy(), take.frames[0].copy()
    lost[32:], late[:32] = noise[32:], noise[:32]  # 2.56 s
    wave = take.waveform[0]
    assert observe_film([Part(lost, wave)], FPS, readers).is_character
    assert not observe_film([Part(late, wave)], FPS, readers).is_character
