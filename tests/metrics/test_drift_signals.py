from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import FPS, RealClips, real_clips

from mfbench.character.performance import perform
from mfbench.mel import SAMPLE_RATE_HZ, log_mel
from mfbench.metrics.drift_signals import windowed_offsets_ms
from mfbench.metrics.observe import Observation, Readers, observe
from mfbench.metrics.readers.speech import MEL_RATE_HZ
from mfbench.registry import METRICS

SECONDS = 25.6
PICTURE = {
    "drift_luma": "luma",
    "drift_contrast": "contrast",
    "drift_sat": "saturation",
    "drift_clip": "clipped",
    "drift_sharpness": "sharpness",
}
NAMES = (
    *PICTURE,
    "drift_motion",
    "drift_f0_semitones",
    "drift_spec_centroid",
    "drift_offset_slope_ms_per_s",
)
Ramp = Callable[[Observation, np.ndarray], Observation]


@pytest.fixture(scope="module")
def long_clips() -> RealClips:
    return real_clips("test", 2, seconds=SECONDS)


@pytest.fixture(scope="module")
def long(long_clips: RealClips, readers: Readers) -> Observation:
    return observe(long_clips.frames, long_clips.mel, readers, long_clips.waveform)


def ramps(slopes: np.ndarray, level: float, rate_hz: float, count: int) -> np.ndarray:
    """[clips, time] that grow by so much per 10 s."""
    times = (np.arange(count) + 0.5) / rate_hz
    return (level + slopes[:, None] / 10 * times).astype(np.float64)


def with_picture(field: str) -> Ramp:
    def made(seen: Observation, slopes: np.ndarray) -> Observation:
        track = ramps(slopes, 20.0, FPS, seen.picture.luma.shape[1])
        return replace(seen, picture=replace(seen.picture, **{field: track}))

    return made


def with_head(seen: Observation, slopes: np.ndarray) -> Observation:
    """The speed of a head that starts at rest."""
    motion = seen.face.motion.astype(np.float64)
    times = np.arange(motion.shape[1]) / FPS
    speed = np.abs(slopes)[:, None] / 10 * times
    motion[..., 4:11] = (np.cumsum(speed, axis=1) / FPS)[..., None]
    return replace(seen, face=replace(seen.face, motion=motion))


def with_pitch(seen: Observation, slopes: np.ndarray) -> Observation:
    assert seen.sound is not None
    pitch_hz = 100 * 2 ** (heard_at_times(seen, slopes) / 12)
    return replace(seen, sound=replace(seen.sound, pitch_hz=pitch_hz))


def with_centroid(seen: Observation, slopes: np.ndarray) -> Observation:
    return replace(seen, centroid_hz=heard_at_times(seen, slopes))


def heard_at_times(seen: Observation, slopes: np.ndarray) -> np.ndarray:
    """Ramps without the same moments of every window."""
    track = ramps(slopes, 60.0, MEL_RATE_HZ, seen.level_db.shape[1])
    track[:, ::16] = np.nan
    return track


def with_level(seen: Observation, slopes: np.ndarray) -> Observation:
    return replace(seen, level_db=ramps(slopes, -40.0, MEL_RATE_HZ, seen.level_db.shape[1]))


def with_colours(seen: Observation, slopes: np.ndarray) -> Observation:
    track = ramps(slopes, 50.0, FPS, seen.face.motion.shape[1])
    return replace(seen, face=replace(seen.face, colours=np.repeat(track[..., None], 12, axis=-1)))


DRIVEN: dict[str, Ramp] = {
    **{name: with_picture(field) for name, field in PICTURE.items()},
    "drift_motion": with_head,
    "drift_f0_semitones": with_pitch,
    "drift_spec_centroid": with_centroid,
    "drift_loudness": with_level,
    "drift_colour": with_colours,
}


def slopes_of(name: str, seen: Observation, clips: RealClips) -> list[float | None]:
    return METRICS.build({"type": name}).compute(seen, seen, clips.prompts).per_clip


@settings(max_examples=5, deadline=None)
@given(slope=st.floats(0.1, 8), other=st.floats(-8, -0.1))
@pytest.mark.parametrize("name", DRIVEN)
def test_ramps_have_their_slope_whichever_way_they_go(
    name: str, slope: float, other: float, long: Observation, long_clips: RealClips
) -> None:
    driven = DRIVEN[name](long, np.array([slope, other]))
    assert slopes_of(name, driven, long_clips) == pytest.approx([slope, -other], rel=1e-3)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "drift_offset_slope_ms_per_s"])
def test_what_stays_does_not_drift(name: str, long: Observation, long_clips: RealClips) -> None:
    held = DRIVEN[name](long, np.array([4.0, 0.0]))
    found = slopes_of(name, held, long_clips)
    assert found[1] == pytest.approx(0, abs=1e-6)
    assert found[0] == pytest.approx(4.0, rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_two_windows_are_no_trend_and_three_are(
    name: str, long_clips: RealClips, readers: Readers, long: Observation
) -> None:
    frames, mel, wave = long_clips.frames, long_clips.mel, long_clips.waveform
    for seconds, status in ((10.24, "not_applicable"), (15.36, "ok")):
        shown, heard = round(seconds * FPS), round(seconds * MEL_RATE_HZ)
        samples = round(seconds * SAMPLE_RATE_HZ)
        seen = observe(frames[:1, :shown], mel[:1, :heard], readers, wave[:1, :samples])
        scores = METRICS.build({"type": name}).scores(seen, long, long_clips.prompts)
        assert (scores.per_clip() != [None]) == (status == "ok")


def test_without_a_waveform_only_pitch_is_not_heard(long: Observation, long_clips: RealClips) -> None:
    mute = replace(long, sound=None)
    assert slopes_of("drift_f0_semitones", mute, long_clips) == [None, None]
    for name in ("drift_spec_centroid", "drift_loudness"):
        assert slopes_of(name, mute, long_clips) == slopes_of(name, long, long_clips) != [None, None]


@pytest.mark.parametrize("speed", [0.99, 1.0, 1.01])
def test_clocks_that_run_apart(speed: float, long_clips: RealClips, readers: Readers) -> None:
    takes = [perform(0, "test", index, SECONDS, FPS) for index in range(2)]
    position = np.arange(round(SECONDS * SAMPLE_RATE_HZ)) * speed
    waves = np.stack([np.interp(position, np.arange(len(t.waveform)), t.waveform) for t in takes])
    mel = log_mel(torch.from_numpy(waves.astype(np.float32))).numpy()
    seen = observe(long_clips.frames, mel, readers)
    assert windowed_offsets_ms(seen).shape == (2, 5)
    result = METRICS.build({"type": "drift_offset_slope_ms_per_s"}).compute(seen, seen, long_clips.prompts)
    assert result.per_clip == pytest.approx([1000 * (speed - 1)] * 2, abs=1.0)  # slow sound comes late
