from __future__ import annotations

import numpy as np
import pytest
from metric_world import RealClips

from mfbench.clip_spec import ClipSpec
from mfbench.codecs.linear_frame import LinearFrameCodec
from mfbench.codecs.linear_mel import LinearMelCodec
from mfbench.metrics.floors import log_spectral_distance_db, psnr_db, reconstruction_floors
from mfbench.metrics.observe import Readers


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((1, 2, 4, 4, 3), np.uint8)
    assert psnr_db(black, black + np.uint8(51)) == pytest.approx(20 * np.log10(5))
    assert psnr_db(black, black) is None


def test_log_spectral_distance_of_a_known_gain() -> None:
    mel = np.random.default_rng(0).normal(size=(1, 5, 64)).astype(np.float32)
    assert log_spectral_distance_db(mel, mel + np.float32(np.log(2))) == pytest.approx(6.02, abs=0.01)


def test_floors_get_better_with_more_channels(train: RealClips, spoken: RealClips, readers: Readers) -> None:
    found = []
    for video_channels, audio_channels in ((8, 6), (128, 48)):
        spec = ClipSpec(video_channels=video_channels, audio_channels=audio_channels)
        video, audio = LinearFrameCodec(spec).fit(train.frames[:16]), LinearMelCodec(spec).fit(train.mel)
        again = video.decode(video.encode(spoken.frames)), audio.decode(audio.encode(spoken.mel))
        found.append(reconstruction_floors(spoken.frames, spoken.mel, *again, spoken.prompts, readers))
    poor, good = found
    assert (good.psnr_db or 0) > (poor.psnr_db or 0) + 5
    assert good.log_spectral_distance_db < poor.log_spectral_distance_db
    assert (good.per or 0) < (poor.per or 0)
    assert (good.sync_corr or 0) > (poor.sync_corr or 0)
    assert good.real_per == poor.real_per
    assert set(good.to_json()) >= {"psnr_db", "per", "sync_corr"}
