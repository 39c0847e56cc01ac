from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mfbench.character.face import FACE_PARAMETERS, RANGES
from mfbench.character.identity import HELD_OUT_IDENTITIES, IDENTITIES
from mfbench.character.performance import Performance, cast, perform
from mfbench.character.phones import BILABIALS
from mfbench.character.voices import HELD_OUT_VOICES, VOICES

SAMPLE_RATE_HZ = 16000
FPS = 12.5
OPEN = FACE_PARAMETERS.index("open")


@pytest.fixture(scope="module")
def clips() -> list[Performance]:
    """Eight test clips, one of every voice."""
    return [perform(0, "test", index, 5.12, FPS) for index in range(8)]


@pytest.mark.parametrize("split", ["train", "val"])
def test_training_never_meets_the_held_out(split: str) -> None:
    voices, identities = zip(*(cast(split, index, 5) for index in range(240)), strict=True)
    assert not set(voices) & set(HELD_OUT_VOICES)
    assert not set(identities) & set(HELD_OUT_IDENTITIES)
    assert set(Counter(voices).values()) == {240 // 6}
    assert set(Counter(identities).values()) == {240 // 12}


@pytest.mark.parametrize("split", ["test", "reference"])
def test_a_quarter_of_the_test_is_held_out(split: str) -> None:
    voices, identities = zip(*(cast(split, index, 5) for index in range(64)), strict=True)
    assert Counter(voices) == dict.fromkeys(range(len(VOICES)), 8)
    assert Counter(identities) == dict.fromkeys(range(len(IDENTITIES)), 4)
    assert np.isin(voices, HELD_OUT_VOICES).mean() == 0.25
    assert np.isin(identities, HELD_OUT_IDENTITIES).mean() == 0.25


def test_a_block_casts_everyone_once_in_an_order_of_its_own() -> None:
    blocks = [tuple(cast("test", 8 * block + i, 0)[0] for i in range(8)) for block in range(6)]
    assert all(sorted(block) == list(range(8)) for block in blocks)
    assert len(set(blocks)) > 1


def test_splits_and_seeds_are_different_draws() -> None:
    said = {perform(seed, split, 0, 1.28, FPS).timeline for seed in (0, 1) for split in ("test", "reference")}
    assert len(said) == 4


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="'validation'"):
        cast("validation", 0, 0)


def test_shapes_and_legal_values(clips: list[Performance]) -> None:
    low, high = np.array([RANGES[name] for name in FACE_PARAMETERS]).T
    for clip in clips:
        assert clip.face.shape == (64, 34)
        assert clip.waveform.shape == (81920,)
        assert clip.face.dtype == clip.waveform.dtype == np.float32
        assert ((clip.face >= low - 1e-6) & (clip.face <= high + 1e-6)).all()
        assert np.abs(clip.waveform).max() <= 0.5001


def test_no_second_is_silent(clips: list[Performance]) -> None:
    for clip in clips:
        power = np.cumsum(np.pad(clip.waveform.astype(np.float64) ** 2, (1, 0)))
        rms = np.sqrt((power[SAMPLE_RATE_HZ:] - power[:-SAMPLE_RATE_HZ]) / SAMPLE_RATE_HZ)
        assert rms.min() > 0.3 * np.sqrt((clip.waveform**2).mean())


def test_the_mouth_closes_in_every_bilabial(clips: list[Performance]) -> None:
    checked = 0
    for clip in clips:
        for name, start, end in clip.timeline.phones:
            if name in BILABIALS:
                inside = (clip.tracks.time_s >= start) & (clip.tracks.time_s < end)
                assert clip.tracks.mouth[inside, 0].min() < 0.05
                centres = (np.arange(len(clip.face)) + 0.5) / FPS
                shown = clip.face[(centres >= start) & (centres < end), OPEN]
                assert shown.min() < 0.25
                checked += 1
    assert checked > 30


def test_loudness_and_mouth_belong_together(clips: list[Performance]) -> None:
    """Vowels open the mouth and are loud, at zero lag and not half a second later."""
    for clip in clips:
        rms = np.sqrt((clip.waveform.reshape(len(clip.face), -1) ** 2).mean(1))
        opening = clip.face[:, OPEN]
        together = np.corrcoef(rms, opening)[0, 1]
        assert together > 0.4
        assert together > np.corrcoef(rms[6:], opening[:-6])[0, 1] + 0.2


def test_appearance_is_constant_but_for_the_light(clips: list[Performance]) -> None:
    light = FACE_PARAMETERS.index("light")
    for clip in clips:
        still = np.delete(clip.face[:, 11:], light - 11, axis=1)
        assert (still == still[0]).all()
        assert np.ptp(clip.face[:, light]) > 0.01


def test_frame_rates_show_the_same_performance() -> None:
    slow, fast = (perform(0, "train", 1, 1.28, fps) for fps in (12.5, 37.5))
    np.testing.assert_array_equal(slow.waveform, fast.waveform)
    # the middle one of three fast frames shares its centre with the slow frame
    np.testing.assert_allclose(slow.face, fast.face[1::3], atol=1e-5)
