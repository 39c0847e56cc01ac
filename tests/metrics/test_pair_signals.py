"""Frames against true frames: errors, structural similarity, mouths, and films compared in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metric_world import FPS, RealClips, draw
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from mfbench.character.face import MOTION_PARAMETERS
from mfbench.metrics.comparison import Comparison, UnequalError
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.pair_signals import (
    EXPONENTS,
    PairSignals,
    mouth_difference,
    msssim,
    psnr_db,
    squared_error,
    ssim,
)
from mfbench.metrics.paired_quality import MOST_DB
from mfbench.metrics.picture_signals import LUMA
from mfbench.registry import METRICS

PAIRED = ("psnr", "ssim", "msssim", "mouth_mae")
FRAMES = 64


@dataclass(frozen=True)
class Part:
    frames: np.ndarray
    waveform: np.ndarray


def random_frames(seed: int, count: int = 2, size: tuple[int, int] = (24, 20)) -> np.ndarray:
    """Smooth enough to have structure."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, size[0] // 4, size[1] // 4, 3))
    fine = rng.normal(0, 8, (count, *size, 3))
    return (coarse.repeat(4, 1).repeat(4, 2) + fine).clip(0, 255).astype(np.uint8)


def noisy(frames: np.ndarray, sigma: float, seed: int = 9) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(frames.shape)
    return (frames + sigma * noise).clip(0, 255).round().astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), sigma=st.floats(0.5, 60))
def test_as_another_library_measures_it(seed: int, sigma: float) -> None:
    true = random_frames(seed)
    frames = noisy(true, sigma, seed)
    errors, likeness = squared_error(frames, true), ssim(frames, true)
    for k in range(len(true)):
        assert errors[k] == pytest.approx(mean_squared_error(true[k], frames[k]))
        if errors[k] > 0:
            wanted = peak_signal_noise_ratio(true[k], frames[k], data_range=255)
            assert psnr_db(errors[k : k + 1], MOST_DB)[0] == pytest.approx(wanted)
        wanted = structural_similarity(
            true[k] @ LUMA.astype(np.float64),
            frames[k] @ LUMA.astype(np.float64),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        assert likeness[k] == pytest.approx(wanted, abs=1e-9)


def brightness(frame: np.ndarray) -> np.ndarray:
    return frame @ LUMA.astype(np.float64)


def halved(picture: np.ndarray) -> np.ndarray:
    height, width = (side // 2 for side in picture.shape)
    return picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean((1, 3))


def similarity(x: np.ndarray, y: np.ndarray, *, contrast_only: bool) -> float:
    """Another library's; a huge first constant makes its comparison of brightness 1."""
    found = structural_similarity(
        x,
        y,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        K1=1e6 if contrast_only else 0.01,
    )
    return float(found)


@pytest.mark.parametrize(
    ("size", "scales"), [((12, 16), 1), ((24, 20), 1), ((48, 64), 3), ((160, 192), 4), ((176, 200), 5)]
)
def test_scales_as_another_library_measures_each(size: tuple[int, int], scales: int) -> None:
    true = random_frames(5, 2, size)
    frames = noisy(true, 12)
    exponents = np.array(EXPONENTS[:scales]) / sum(EXPONENTS[:scales])
    for k, found in enumerate(msssim(frames, true)):
        x, y = brightness(frames[k]), brightness(true[k])
        wanted = 1.0
        for scale, exponent in enumerate(exponents):
            wanted *= similarity(x, y, contrast_only=scale < scales - 1) ** exponent
            x, y = halved(x), halved(y)
        assert found == pytest.approx(wanted, abs=1e-6)


def test_what_only_a_coarse_scale_shows_counts_there() -> None:
    """Fine noise is averaged away at coarser scales, so it costs less than at one scale."""
    true = random_frames(6, 3, (64, 64))
    frames = noisy(true, 25)
    assert (msssim(frames, true) > ssim(frames, true)).all()
    opposite = 255 - true
    assert msssim(opposite, true) == pytest.approx([0, 0, 0])


def test_flat_pictures_have_a_closed_form() -> None:
    """Without variance only the means count: (2 a b + C1) / (a^2 + b^2 + C1)."""
    dark, bright = (np.full((1, 16, 16, 3), level, np.uint8) for level in (60, 100))
    c1 = (0.01 * 255) ** 2
    level = LUMA.astype(np.float64).sum()
    a, b = 60 * level, 100 * level
    assert ssim(dark, bright) == pytest.approx([(2 * a * b + c1) / (a * a + b * b + c1)])
    assert msssim(dark, bright) == pytest.approx(ssim(dark, bright))  # one scale fits
    large = [np.full((1, 64, 64, 3), level, np.uint8) for level in (60, 100)]
    last = EXPONENTS[2] / sum(EXPONENTS[:3])  # brightness counts at the coarsest of three
    assert msssim(*large) == pytest.approx(ssim(*large) ** last)
    assert squared_error(dark, bright) == pytest.approx([1600.0])
    assert psnr_db(np.array([1600.0]), MOST_DB) == pytest.approx([20 * np.log10(255 / 40)])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), other=st.integers(0, 2**16))
def test_equal_frames_are_best_and_neither_side_is_favoured(seed: int, other: int) -> None:
    one, two = random_frames(seed), random_frames(other)
    assert ssim(one, one) == pytest.approx([1.0, 1.0])
    assert msssim(one, one) == pytest.approx([1.0, 1.0])
    assert squared_error(one, one).tolist() == [0.0, 0.0]
    np.testing.assert_allclose(ssim(one, two), ssim(two, one))
    np.testing.assert_allclose(msssim(one, two), msssim(two, one))
    np.testing.assert_array_equal(squared_error(one, two), squared_error(two, one))
    assert (np.abs(ssim(one, two)) <= 1 + 1e-12).all()
    inverted = ssim(one, 255 - one)
    assert (inverted < 0.5).all()


def test_damage_shows_step_by_step() -> None:
    true = random_frames(3, 4)
    steps = [noisy(true, sigma) for sigma in (0, 2, 6, 15, 40)]
    likeness = [float(ssim(step, true).mean()) for step in steps]
    decibels = [float(psnr_db(squared_error(step, true).mean(keepdims=True), MOST_DB)[0]) for step in steps]
    assert likeness == sorted(likeness, reverse=True)
    assert decibels == sorted(decibels, reverse=True)
    assert decibels[0] == MOST_DB


def test_many_frames_are_those_of_few() -> None:
    true = random_frames(4, 130, (12, 12))
    frames = noisy(true, 10)
    chosen = [0, 63, 64, 127, 128, 129]
    for measure in (ssim, msssim):
        np.testing.assert_allclose(measure(frames, true)[chosen], measure(frames[chosen], true[chosen]))
    np.testing.assert_array_equal(
        squared_error(frames, true)[chosen], squared_error(frames[chosen], true[chosen])
    )
    for measure in (ssim, msssim, squared_error):
        assert len(measure(true[:0], true[:0])) == 0


def test_frames_that_do_not_match_are_refused() -> None:
    one = random_frames(0)
    for other in (one[:1], one[:, :-1], one.astype(np.float32), one[..., 0]):
        for measure in (ssim, msssim, squared_error):
            with pytest.raises(ValueError, match="of one shape"):
                measure(one, other)
    small = one[:, :10]
    for measure in (ssim, msssim):
        with pytest.raises(ValueError, match="at least 11 pixels"):
            measure(small, small)


def test_openings_are_compared_within_their_range() -> None:
    motion = np.zeros((1, 4, len(MOTION_PARAMETERS)), np.float32)
    true = motion.copy()
    opening = MOTION_PARAMETERS.index("open")
    motion[0, :, opening] = (0.2, 0.9, -0.3, 0.5)
    true[0, :, opening] = (0.5, 1.4, 0.1, 0.5)
    motion[0, :, opening + 1] = 99
    np.testing.assert_allclose(mouth_difference(motion, true)[0], [0.3, 0.1, 0.1, 0.0], atol=1e-6)


def blocks(frames: np.ndarray, lengths: list[int]) -> Iterator[Part]:
    borders = np.cumsum([0, *lengths])
    for start, end in pairwise(borders):
        yield Part(frames[start:end], np.zeros(0, np.float32))


def compared(
    frames: np.ndarray,
    true: np.ndarray,
    seen: Observation,
    readers: Readers,
    ours: list[int],
    theirs: list[int],
) -> PairSignals:
    comparison = Comparison(blocks(true, theirs), FPS, readers)
    passed = list(comparison.passing(blocks(frames, ours)))
    np.testing.assert_array_equal(np.concatenate([part.frames for part in passed]), frames)
    found = comparison.beside(seen).paired
    assert found is not None
    return found


cuts = st.lists(st.integers(1, FRAMES - 1), max_size=4, unique=True).map(
    lambda borders: np.diff([0, *sorted(borders), FRAMES]).tolist()
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(ours=cuts, theirs=cuts)
def test_films_compared_in_blocks_are_the_whole_films(
    ours: list[int], theirs: list[int], real: Observation, spoken: RealClips, readers: Readers
) -> None:
    true = noisy(spoken.frames[0], 3)
    found = compared(spoken.frames[0], true, real.select(np.array([0])), readers, ours, theirs)
    np.testing.assert_array_equal(found.squared_error[0], squared_error(spoken.frames[0], true))
    np.testing.assert_allclose(found.ssim[0], ssim(spoken.frames[0], true))
    np.testing.assert_allclose(found.msssim[0], msssim(spoken.frames[0], true))
    assert found.mouth.shape == (1, FRAMES)


def test_a_block_of_the_true_film_is_asked_for_when_it_is_needed(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    given_out: list[int] = []

    def counted() -> Iterator[Part]:
        for index, part in enumerate(blocks(spoken.frames[0], [16] * 4)):
            given_out.append(index)
            yield part

    comparison = Comparison(counted(), FPS, readers)
    for index, _ in enumerate(comparison.passing(blocks(spoken.frames[0], [16] * 4))):
        assert given_out == list(range(index + 1))


def paired(name: str, seen: Observation, pair: PairSignals, spoken: RealClips) -> float | None:
    alone = replace(seen.select(np.array([0])), paired=pair)
    scores = METRICS.build({"type": name}).scores(alone, alone, spoken.prompts)
    return scores.per_clip()[0]


def test_equal_films_are_best_and_other_films_are_worse(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    seen, cut = real.select(np.array([0])), [FRAMES]
    moved = spoken.face[:1].copy()
    moved[..., MOTION_PARAMETERS.index("open")] += 0.2  # within the range where the mouth is nearly closed
    versions = {
        "equal": spoken.frames[0],
        "near": noisy(spoken.frames[0], 4),
        "mouth": draw(moved)[0],
        "other": spoken.frames[1],
    }
    found = {
        name: {
            metric: paired(metric, real, compared(spoken.frames[0], true, seen, readers, cut, cut), spoken)
            or 0
            for metric in PAIRED
        }
        for name, true in versions.items()
    }
    assert found["equal"] == {
        "psnr": MOST_DB,
        "ssim": pytest.approx(1.0),
        "msssim": pytest.approx(1.0),
        "mouth_mae": pytest.approx(0, abs=1e-5),
    }
    assert MOST_DB > found["near"]["psnr"] > found["other"]["psnr"]
    assert 1 > found["near"]["ssim"] > found["other"]["ssim"]
    assert 1 > found["near"]["msssim"] > found["other"]["msssim"]
    assert found["mouth"]["mouth_mae"] > found["near"]["mouth_mae"] + 0.05
    assert found["mouth"]["ssim"] > found["other"]["ssim"]


def test_films_of_unequal_length(real: Observation, spoken: RealClips, readers: Readers) -> None:
    seen = real.select(np.array([0]))
    for ours, theirs in ((64, 62), (62, 64), (64, 0)):
        comparison = Comparison(blocks(spoken.frames[0], [theirs]), FPS, readers)
        list(comparison.passing(blocks(spoken.frames[0], [ours])))
        with pytest.raises(
            UnequalError, match=f"has {theirs} frames at 12.5 per second and this one has {ours}"
        ):
            comparison.beside(seen)
    for ours, theirs in ((64, 63), (63, 64)):
        part = replace(seen, face=replace(seen.face, motion=seen.face.motion[:, :ours]))
        found = compared(spoken.frames[0, :ours], spoken.frames[0, :theirs], part, readers, [ours], [theirs])
        assert (
            found.squared_error.shape
            == found.ssim.shape
            == found.msssim.shape
            == found.mouth.shape
            == (1, 63)
        )


def test_a_true_film_without_a_known_face_has_no_mouth(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, spoken.frames[0].shape, dtype=np.uint8)
    pair = compared(spoken.frames[0], noise, real.select(np.array([0])), readers, [FRAMES], [FRAMES])
    assert paired("mouth_mae", real, pair, spoken) is None
    assert (paired("psnr", real, pair, spoken) or 99) < 12


def test_without_a_true_clip_there_is_no_value(real: Observation, spoken: RealClips) -> None:
    for name in PAIRED:
        result = METRICS.build({"type": name}).compute(real, real, spoken.prompts)
        assert (result.status, result.n) == ("not_applicable", 0)
