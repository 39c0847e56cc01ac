"""`sync_d`, `sync_d0`, `sync_itu_pass`, and what is read of the character: `attr_acc`, `render_valid`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from metric_world import RealClips

from mfbench.metrics.lip_sync import ITU_MS, curves
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.registry import METRICS


def per_clip(name: str, seen: Observation, spoken: RealClips) -> np.ndarray:
    found = METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).per_clip
    return np.array([np.nan if value is None else value for value in found])


def test_distances_are_those_of_normalised_tracks(real: Observation, spoken: RealClips) -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 400))
    a, b = ((x - x.mean()) / x.std() for x in (a, a + b))
    r = float((a * b).mean())
    assert np.sqrt(((a - b) ** 2).mean()) == pytest.approx(np.sqrt(2 * (1 - r)))
    correlation = curves(real).correlation.astype(np.float64)
    zero = correlation[:, correlation.shape[1] // 2]
    np.testing.assert_allclose(
        per_clip("sync_d", real, spoken), np.sqrt(2 * (1 - correlation.max(1))), rtol=1e-3
    )
    np.testing.assert_allclose(per_clip("sync_d0", real, spoken), np.sqrt(2 * (1 - zero)), rtol=1e-3)
    assert (per_clip("sync_d0", real, spoken) >= per_clip("sync_d", real, spoken) - 1e-6).all()


def test_an_offset_shows_in_the_distance_at_zero_only(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    late = real.hearing(np.roll(spoken.mel, 5, axis=1), readers)
    assert per_clip("sync_d", late, spoken).mean() == pytest.approx(
        per_clip("sync_d", real, spoken).mean(), abs=0.1
    )
    assert per_clip("sync_d0", late, spoken).mean() > per_clip("sync_d0", real, spoken).mean() + 0.3


@pytest.mark.parametrize("lead_ms", [-200, -160, -100, 0, 20, 80, 160])
def test_viewers_forgive_late_sound_more_than_early_sound(
    lead_ms: int, real: Observation, spoken: RealClips, readers: Readers
) -> None:
    assert ITU_MS == (-125.0, 45.0)
    moved = real.hearing(np.roll(spoken.mel, -lead_ms // 20, axis=1), readers)
    passed = per_clip("sync_itu_pass", moved, spoken)
    assert set(passed) <= {0.0, 1.0}
    assert passed.mean() == pytest.approx(float(-125 <= lead_ms <= 45), abs=0.1)


@pytest.mark.parametrize("name", ["sync_d", "sync_d0", "sync_itu_pass"])
def test_silent_clips_have_no_distance(name: str, real: Observation, spoken: RealClips) -> None:
    silent = replace(real, speech=replace(real.speech, speech=np.zeros_like(real.speech.speech)))
    assert np.isnan(per_clip(name, silent, spoken)).all()


def test_the_character_asked_for_is_named(real: Observation, spoken: RealClips) -> None:
    assert per_clip("attr_acc", real, spoken).mean() > 0.99
    others = replace(spoken.prompts, identity=(spoken.prompts.identity + 1) % 16)
    assert METRICS.build({"type": "attr_acc"}).compute(real, real, others).value < 0.01
    likeness = real.face.likeness.copy()
    likeness[:, ::2] = likeness[:, ::2, np.r_[1:16, 0]]  # another one in every second frame
    mixed = replace(real, face=replace(real.face, likeness=likeness))
    assert per_clip("attr_acc", mixed, spoken).mean() == pytest.approx(0.5, abs=0.01)


def test_what_no_face_explains_is_not_valid(real: Observation, spoken: RealClips, readers: Readers) -> None:
    assert per_clip("render_valid", real, spoken).mean() > 0.98
    frames = spoken.frames[:4].copy()
    noise = np.random.default_rng(1).integers(0, 256, frames.shape, dtype=np.uint8)
    frames[:, 32:] = noise[:, 32:]
    half = observe(frames, spoken.mel[:4], readers)
    found = METRICS.build({"type": "render_valid"}).scores(half, real, spoken.prompts).per_clip()
    assert found == pytest.approx([0.5] * 4, abs=0.1)
