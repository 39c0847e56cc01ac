from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from light_views import measured, seen
from metric_world import RealClips

from mfbench.metrics.borders import jump_at_borders
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.registry import METRICS

CHUNK_S = 0.32


@given(
    jump=st.floats(0.1, 10),
    inside=st.floats(0.1, 10),
    rate_hz=st.sampled_from([12.5, 25.0, 50.0]),
    chunks=st.integers(4, 20),
)
def test_the_ratio_of_jumps(jump: float, inside: float, rate_hz: float, chunks: int) -> None:
    per_chunk = round(CHUNK_S * rate_hz)
    change = np.full((2, chunks * per_chunk - 1), inside)
    change[0, per_chunk - 1 :: per_chunk] = jump
    found = jump_at_borders(change.astype(np.float32), rate_hz, CHUNK_S)
    assert found == pytest.approx([jump / inside, 1.0], rel=1e-4)


@given(shift=st.integers(1, 7), jump=st.floats(2, 9))
def test_jumps_beside_the_borders_are_no_seams(shift: int, jump: float) -> None:
    change = np.ones((1, 8 * 16 - 1), np.float32)
    places = np.arange(7 + shift, change.shape[1], 8)
    change[0, places] = jump
    inside = change.shape[1] - 15
    wanted = inside / (inside + len(places) * (np.float32(jump) - 1))
    assert jump_at_borders(change, 25.0, CHUNK_S) == pytest.approx([wanted], rel=1e-5)


def test_chunks_that_do_not_fit_the_frames_have_their_borders_nearest() -> None:
    rate_hz, chunk_s = 25.0, 0.5  # borders at 12.5, 25, 37.5, 50, ... frames
    change = np.ones((1, 99), np.float32)
    change[0, [11, 24, 37, 49, 61, 74, 87]] = 4.0  # halves go to the even frame
    assert jump_at_borders(change, rate_hz, chunk_s) == pytest.approx([4.0])


@given(jump=st.floats(0.5, 9))
def test_a_film_of_half_the_rate_has_the_ratio_of_its_own_frames(jump: float) -> None:
    change = np.zeros((1, 8 * 16 - 1), np.float32)
    change[0, 1::2] = 1.0  # every picture is shown twice
    assert jump_at_borders(change, 25.0, CHUNK_S) == pytest.approx([1.0])
    change[0, 7::8] = jump
    assert jump_at_borders(change, 25.0, CHUNK_S) == pytest.approx([jump], rel=1e-5)


def test_too_few_borders_and_still_films_have_no_ratio() -> None:
    assert np.isnan(jump_at_borders(np.ones((1, 23), np.float32), 25.0, CHUNK_S)).all()
    assert np.isnan(jump_at_borders(np.zeros((1, 63), np.float32), 25.0, CHUNK_S)).all()
    assert np.isfinite(jump_at_borders(np.ones((1, 31), np.float32), 25.0, CHUNK_S)).all()


@pytest.mark.parametrize("name", ["boundary_jump_v", "boundary_jump_a"])
def test_a_film_in_which_nothing_changes_has_no_seams_to_speak_of(name: str) -> None:
    """0/0 is no number: neither 0, which would be a seam, nor 1, which would be none."""
    still = light(np.zeros((2, 63)), np.zeros((2, 256)))
    result = measured(name, still)
    assert (result.value, result.status, result.n) == (None, "not_applicable", 0)
    rng = np.random.default_rng(0)  # what a codec and a quantiser leave of it
    noisy = light(rng.uniform(0, 0.24, (2, 63)), rng.uniform(-0.04, 0.04, (2, 256)))
    assert measured(name, noisy).status == "not_applicable"


def light(change: np.ndarray, level_db: np.ndarray) -> Any:
    """Films of 5.12 s at 12.5 frames/s, 16 chunks."""
    view = seen(len(change), 12.5, 5.12, picture={"change": change.astype(np.float32)})
    view.level_db = level_db.astype(np.float32)
    return view


def test_a_frozen_film_that_jumps_from_chunk_to_chunk_has_seams() -> None:
    change, level = np.zeros((1, 63)), np.zeros((1, 256))
    change[:, 3::4] = 5.0
    level += 3 * (np.arange(256) // 16)
    shown = light(change, level)
    assert measured("boundary_jump_v", shown).value == pytest.approx(5 / 0.25)
    assert measured("boundary_jump_a", shown).value == pytest.approx(3 / 0.1)


def test_borders_that_stand_still_are_evidence_only_in_a_film_that_moves() -> None:
    change = np.full((3, 63), 2.0)
    change[:, 3::4] = 0
    change[1, 8:] = 0  # it froze after two chunks
    change[2, 8:] = 0.1
    found = measured("boundary_jump_v", light(change, np.zeros((3, 256))))
    assert found.per_clip == [0.0, None, None]  # every border of the first is a stutter
    change[1, 3::4] = change[2, 3::4] = 1.0
    found = measured("boundary_jump_v", light(change, np.zeros((3, 256))))
    assert found.per_clip == pytest.approx([0.0, 0.5, 0.5])


@given(
    inside=st.floats(0.3, 20),
    jump=st.floats(0.3, 20),
    hum=st.floats(0, 0.25),
)
def test_what_a_codec_leaves_of_equal_frames_does_not_count(inside: float, jump: float, hum: float) -> None:
    change = np.full((1, 63), inside, np.float32)
    change[:, 3::4] = jump
    change[:, 1::8] = hum
    assert measured("boundary_jump_v", light(change, np.zeros((1, 256)))).value == pytest.approx(
        jump / inside, rel=1e-4
    )


def value(name: str, seen: Observation, spoken: RealClips) -> float:
    result = METRICS.build({"type": name}).compute(seen, seen, spoken.prompts)
    assert result.status == "ok"
    return float(result.value)


def test_real_clips_have_no_seams_and_made_ones_are_found(real: Observation, spoken: RealClips) -> None:
    assert value("boundary_jump_v", real, spoken) == pytest.approx(1, abs=0.2)
    assert value("boundary_jump_a", real, spoken) == pytest.approx(1, abs=0.2)
    change, level = real.picture.change.copy(), real.level_db.copy()
    change[:, 3::4] *= 3
    level += np.where(np.arange(level.shape[1]) // 16 % 2, 20, 0).astype(np.float32)
    seamed = replace(real, picture=replace(real.picture, change=change), level_db=level)
    assert value("boundary_jump_v", seamed, spoken) == pytest.approx(
        3 * value("boundary_jump_v", real, spoken)
    )
    assert value("boundary_jump_a", seamed, spoken) > 3


@pytest.mark.parametrize("name", ["boundary_jump_v", "boundary_jump_a"])
def test_without_chunks_there_are_no_borders(name: str, real: Observation, spoken: RealClips) -> None:
    seen = replace(real, chunk_s=None)
    assert METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).status == "not_applicable"


def test_a_loop_repeats_itself(real: Observation, spoken: RealClips, readers: Readers) -> None:
    few, half = slice(0, 4), spoken.frames.shape[1] // 2
    frames, mel = spoken.frames[few, :half], spoken.mel[few, : spoken.mel.shape[1] // 2]
    looped = observe(np.tile(frames, (1, 2, 1, 1, 1)), np.tile(mel, (1, 2, 1)), readers)
    metric = METRICS.build({"type": "repetition"})
    loop = np.array(metric.scores(looped, looped, spoken.prompts).per_clip(), dtype=float)
    plain = np.array(metric.scores(real, real, spoken.prompts).per_clip(), dtype=float)
    np.testing.assert_allclose(loop, 1.0, atol=0.01)
    assert plain.max() < 0.99
    assert plain.mean() < 0.9


def test_neighbouring_windows_are_no_repetition(real: Observation, spoken: RealClips) -> None:
    windows = np.random.default_rng(0).standard_normal(real.windows.video.shape).astype(np.float32)
    windows[:, 6] = windows[:, 0]  # 1.92 s apart
    zeros = {name: np.zeros_like(getattr(real.windows, name)) for name in ("audio", "agreement")}
    near = replace(real, windows=replace(real.windows, video=windows, **zeros))
    assert value("repetition", near, spoken) < 0.9
    windows = windows.copy()
    windows[:, 7] = windows[:, 0]
    assert value("repetition", replace(near, windows=replace(near.windows, video=windows)), spoken) > 0.999
