from __future__ import annotations

import numpy as np
import pytest
from metric_world import FPS, RealClips, draw

from mfbench.character.face import MOTION_PARAMETERS
from mfbench.character.identity import IDENTITIES, identity_parameters
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.readers.images import shrink


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
