from __future__ import annotations

import numpy as np
import pytest

from mfbench.metrics.sync import has_speech_and_motion, sync_curves

FPS = 12.5


def tracks(clips: int = 4, seconds: float = 5.12, lead_ms: float = 0.0) -> tuple[np.ndarray, ...]:
    """A smooth random mouth, seen at video frames and heard `lead_ms` early at mel frames."""
    rng = np.random.default_rng(0)
    phases, rates = rng.uniform(0, 6.3, (clips, 8)), rng.uniform(2, 18, (clips, 8))

    def mouth(times: np.ndarray) -> np.ndarray:
        waves = np.sin(rates[:, None] * times[None, :, None] + phases[:, None]).mean(-1)
        return np.stack([0.5 + waves, 0.5 - 0.5 * waves], -1).astype(np.float32)

    seen = mouth((np.arange(round(seconds * FPS)) + 0.5) / FPS)
    heard = mouth((np.arange(round(seconds * 50)) + 0.5) / 50 + lead_ms / 1000)
    return seen, heard, np.ones(heard.shape[:2], np.float32)


@pytest.mark.parametrize("lead_ms", [-320, -120, -80, -30, 0, 10, 80, 200, 400])
def test_offset_is_recovered_and_positive_where_the_sound_leads(lead_ms: float) -> None:
    offsets = sync_curves(*tracks(lead_ms=lead_ms), FPS).offset_ms()
    np.testing.assert_allclose(offsets, lead_ms, atol=8)


def test_confidence_forgives_an_offset_and_the_zero_lag_does_not() -> None:
    straight, late = (sync_curves(*tracks(lead_ms=ms), FPS) for ms in (0, -120))
    assert straight.at_zero().mean() > 0.98
    assert late.at_zero().mean() < 0.6
    assert late.confidence().mean() == pytest.approx(straight.confidence().mean(), abs=0.1)


def test_noise_lowers_sync_step_by_step() -> None:
    seen, heard, speech = tracks(clips=16)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(seen.shape).astype(np.float32)
    values = [sync_curves(seen + s * noise, heard, speech, FPS).at_zero().mean() for s in (0, 0.1, 0.3, 1)]
    assert values == sorted(values, reverse=True)


def test_other_frame_rates_use_the_same_clock() -> None:
    seen, heard, speech = tracks()
    fast = np.stack([np.interp(np.arange(128) / 2 - 0.25, np.arange(64), s[:, 0]) for s in seen])
    both = np.repeat(fast[..., None], 2, -1).astype(np.float32) * [1, -0.5]
    assert np.abs(sync_curves(both.astype(np.float32), heard, speech, 25.0).offset_ms()).max() < 8


def test_silent_or_still_clips_have_no_sync() -> None:
    seen, heard, speech = tracks(clips=3)
    seen[0], speech[1] = seen[0].mean(), 0.0
    curves = sync_curves(seen, heard, speech, FPS)
    assert np.isnan(curves.at_zero()).tolist() == [True, True, False]
    assert np.isnan(curves.offset_ms()).tolist() == [True, True, False]
    assert np.isnan(curves.confidence()).tolist() == [True, True, False]
    assert has_speech_and_motion(seen, speech).tolist() == [False, False, True]


def test_short_clips_keep_at_least_half_their_frames() -> None:
    curves = sync_curves(*tracks(seconds=0.64), FPS)
    assert curves.lags_s.max() == pytest.approx(0.32)
    assert np.isfinite(curves.correlation).all()
