from __future__ import annotations

import numpy as np
import pytest
import torch

from mfbench.character.face import FACE_PARAMETERS, RANGES, render
from mfbench.character.performance import perform
from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import VideoCodec
from mfbench.codecs.linear_frame import LinearFrameCodec
from mfbench.codecs.motion import MotionCodec
from mfbench.codecs.patch import PatchCodec

CLIPS = 12
MOTION = ClipSpec(chunks=4, frames_per_video_token=2, video_channels=2 * len(FACE_PARAMETERS))
FRAME = ClipSpec(chunks=4, frames_per_video_token=2, video_channels=64)
PATCH = ClipSpec(chunks=4, frames_per_video_token=2, video_grid=(4, 4), video_channels=2 * 8 * 8 * 3)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return np.stack([perform(0, "train", i, 1.28, 12.5).face for i in range(CLIPS)])


@pytest.fixture(scope="module")
def pixels(face: np.ndarray) -> np.ndarray:
    return render(face.reshape(-1, face.shape[-1]), 32).reshape(CLIPS, -1, 32, 32, 3)


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def test_motion_round_trip_is_exact_and_latents_are_of_unit_scale(face: np.ndarray) -> None:
    codec = MotionCodec(MOTION).fit(face)
    latents = codec.encode(face)
    assert latents.shape == (CLIPS, 4, 2, 68)
    np.testing.assert_allclose(codec.decode(latents), face, atol=1e-5)
    per_parameter = latents.reshape(-1, len(FACE_PARAMETERS))
    torch.testing.assert_close(per_parameter.mean(0), torch.zeros(34), atol=1e-3, rtol=0)
    assert 0.9 < float(per_parameter.std(0).max()) < 2.0


def test_motion_tokens_hold_consecutive_frames(face: np.ndarray) -> None:
    codec = MotionCodec(MOTION).fit(face)
    moved = face.copy()
    moved[:, 6] += 0.01  # frame 6 = chunk 1, token 1, first half
    changed = (codec.encode(moved) - codec.encode(face)).abs().sum(0) > 0
    assert bool(changed[1, 1, :34].all())
    assert int(changed.sum()) == 34


def test_motion_decodes_anything_into_the_legal_ranges(face: np.ndarray) -> None:
    codec = MotionCodec(MOTION).fit(face)
    wild = codec.decode(50 * torch.randn(2, 3, 2, 68, generator=torch.Generator().manual_seed(0)))
    low, high = np.array([RANGES[name] for name in FACE_PARAMETERS], np.float32).T
    assert np.all(wild >= low)
    assert np.all(wild <= high)
    assert codec.render(wild).shape == (2, 12, 32, 32, 3)


def test_motion_renders_what_the_renderer_draws(face: np.ndarray, pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(MotionCodec(MOTION).fit(face).render(face), pixels)


def test_patches_are_lossless_up_to_rounding(pixels: np.ndarray) -> None:
    codec = PatchCodec(PATCH).fit(pixels)
    latents = codec.encode(pixels)
    assert latents.shape == (CLIPS, 4, 32, 384)
    assert float(latents.std()) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_array_equal(codec.decode(latents), pixels)


def test_patch_tokens_run_over_time_then_rows_then_columns(pixels: np.ndarray) -> None:
    codec = PatchCodec(PATCH).fit(pixels)
    moved = pixels.copy()
    moved[:, 2, 8:16, 24:32] ^= 1  # frame 2 = second token row in time; patch row 1, column 3
    changed = (codec.encode(moved) - codec.encode(pixels)).abs().sum((0, 3)) > 0
    assert changed.nonzero().tolist() == [[0, 16 + 4 + 3]]


def test_whole_frames_get_better_with_channels(pixels: np.ndarray) -> None:
    found = []
    for channels in (16, 64):
        codec = LinearFrameCodec(ClipSpec(chunks=4, frames_per_video_token=2, video_channels=channels))
        found.append(psnr_db(codec.fit(pixels).decode(codec.encode(pixels)), pixels))
    assert found[1] > found[0] + 3
    assert found[1] > 30


@pytest.mark.parametrize(
    ("codec", "fresh"),
    [
        (MotionCodec(MOTION), MotionCodec(MOTION)),
        (PatchCodec(PATCH), PatchCodec(PATCH)),
        (LinearFrameCodec(FRAME), LinearFrameCodec(FRAME)),
    ],
)
def test_state_restores_the_codec(
    codec: VideoCodec, fresh: VideoCodec, face: np.ndarray, pixels: np.ndarray
) -> None:
    array = face if isinstance(codec, MotionCodec) else pixels
    latents = codec.fit(array).encode(array)
    fresh.load(codec.state())
    torch.testing.assert_close(fresh.encode(array), latents)
    np.testing.assert_array_equal(fresh.decode(latents), codec.decode(latents))


@pytest.mark.parametrize("codec", [MotionCodec(MOTION), LinearFrameCodec(FRAME)])
def test_an_unfitted_codec_says_so(codec: VideoCodec) -> None:
    with pytest.raises(RuntimeError, match="call fit or load"):
        codec.state()


def test_shape_errors_say_what_was_wanted(face: np.ndarray, pixels: np.ndarray) -> None:
    motion, patch = MotionCodec(MOTION).fit(face), PatchCodec(PATCH)
    with pytest.raises(ValueError, match=r"wanted is \[batch, k \* 4, 34\]"):
        motion.encode(face[..., :33])
    with pytest.raises(ValueError, match="whole number of chunks of 4"):
        motion.encode(face[:, :7])
    with pytest.raises(ValueError, match=r"wanted is \[batch, chunks, 2, 68\]"):
        motion.decode(torch.zeros(1, 4, 2, 34))
    with pytest.raises(ValueError, match="wanted is uint8"):
        patch.encode(pixels.astype(np.float32))
    with pytest.raises(ValueError, match="this codec makes 68"):
        MotionCodec(ClipSpec(frames_per_video_token=2, video_channels=34))
    with pytest.raises(ValueError, match="it holds"):
        MotionCodec(MOTION).load({"mean": torch.zeros(3)})
