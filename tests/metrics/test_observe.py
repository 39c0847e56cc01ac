from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from metric_world import RealClips

from mfbench.metrics.observe import Observation, Readers, concatenate, observe
from mfbench.metrics.readers.pixels import PixelReader


def test_readers_survive_a_file(tmp_path: Path, readers: Readers, spoken: RealClips) -> None:
    readers.save(tmp_path / "readers.npz")
    three = spoken.frames[:3], spoken.mel[:3]
    before, after = observe(*three, readers), observe(*three, Readers.load(tmp_path / "readers.npz"))
    np.testing.assert_array_equal(after.windows.joint, before.windows.joint)
    assert after.speech.phones == before.speech.phones
    assert after.frame_rate_hz == before.frame_rate_hz


def test_calibration_is_deterministic(train: RealClips) -> None:
    first, again = (PixelReader.fit(train.face, np.random.default_rng(0), draws=40).state() for _ in range(2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_selecting_and_joining_keep_clips_together(real: Observation) -> None:
    halves = concatenate([real.select(np.arange(5)), real.select(np.arange(5, real.clips))])
    assert halves.clips == real.clips
    np.testing.assert_array_equal(halves.face.motion, real.face.motion)
    assert halves.speech.phones == real.speech.phones
    swapped = real.select(np.array([3, 1]))
    assert swapped.speech.words == (real.speech.words[3], real.speech.words[1])
    np.testing.assert_array_equal(swapped.windows.audio[0], real.windows.audio[3])
    assert swapped.duration_s == pytest.approx(5.12)


def test_windows_are_whitened_on_the_training_split(train: RealClips, readers: Readers) -> None:
    windows = observe(train.frames, train.mel, readers).windows
    flat = windows.agreement.reshape(-1, 3)
    np.testing.assert_allclose(flat.std(0), 1.0, atol=0.02)
    assert windows.joint.shape == (48, 15, 18 + 13 + 3)


def test_a_clip_that_is_not_finite_is_marked_and_the_others_are_read(
    spoken: RealClips, readers: Readers, real: Observation
) -> None:
    mel = spoken.mel[:4].copy()
    mel[1, 10, 3] = np.nan
    found = observe(spoken.frames[:4], mel, readers)
    assert found.intact.tolist() == [True, False, True, True]
    assert found.speech.phones[0] == real.speech.phones[0]
    assert np.isfinite(found.windows.joint).all()


def test_mismatched_pairs_keep_each_modality(spoken: RealClips, readers: Readers, real: Observation) -> None:
    order = np.roll(np.arange(real.clips), 1)
    wrong = real.with_sound_of(order, spoken.mel, readers)
    np.testing.assert_array_equal(wrong.windows.video, real.windows.video)
    np.testing.assert_allclose(wrong.windows.audio, real.windows.audio[order], atol=1e-4)
    assert wrong.speech.words[1] == real.speech.words[0]
    np.testing.assert_array_equal(
        wrong.windows.agreement, observe(spoken.frames, spoken.mel[order], readers).windows.agreement
    )


def test_errors(spoken: RealClips, readers: Readers) -> None:
    with pytest.raises(ValueError, match="one of each per clip"):
        observe(spoken.frames[:2], spoken.mel[:1], readers)
    with pytest.raises(ValueError, match="shorter than a window"):
        observe(spoken.frames[:1, :4], spoken.mel[:1, :16], readers)
