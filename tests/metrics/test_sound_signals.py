from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips

from mfbench.codecs.vocoder import vocode
from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ
from mfbench.metrics.sound_signals import CONTEXT_FRAMES, FULL_SCALE, sound_signals

SECOND = SAMPLE_RATE_HZ
FEW = settings(max_examples=25, deadline=None)


def times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * SECOND)) / SECOND


def tone(hz: float, seconds: float = 1.0, size: float = 0.2) -> np.ndarray:
    return size * np.sin(2 * np.pi * hz * times(seconds) + 0.4)


def pulses(hz: float, seconds: float = 1.0, size: float = 0.5) -> np.ndarray:
    """A band-limited pulse train with its highest value at `size`."""
    harmonics = np.arange(1, int(6000 / hz) + 1)
    return size * np.cos(2 * np.pi * hz * np.outer(times(seconds), harmonics)).mean(1)


@FEW
@given(hz=st.floats(80, 350))
def test_the_pitch_of_pulse_trains(hz: float) -> None:
    found = sound_signals(pulses(hz)[None].astype(np.float32)).pitch_hz[0, 2:-2]
    np.testing.assert_allclose(found, hz, rtol=0.01)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (2, 2 * SECOND)).astype(np.float32)
    noise[1] = 0
    found = sound_signals(noise)
    assert np.isnan(found.pitch_hz).all()


@FEW
@given(
    low=st.integers(0, HOP_SAMPLES // 2), high=st.integers(0, HOP_SAMPLES // 2), offset=st.floats(-0.5, 0.5)
)
def test_full_scale_and_offset_per_frame(low: int, high: int, offset: float) -> None:
    wave = np.full((1, 8 * HOP_SAMPLES), offset, np.float32)
    wave[0, 3 * HOP_SAMPLES : 3 * HOP_SAMPLES + low] = -1
    wave[0, 4 * HOP_SAMPLES - high : 4 * HOP_SAMPLES] = FULL_SCALE
    found = sound_signals(wave)
    share = np.zeros(8)
    share[3] = (low + high) / HOP_SAMPLES
    np.testing.assert_allclose(found.full_scale[0], share, rtol=1e-5)
    np.testing.assert_allclose(found.offset[0], wave.reshape(8, -1).astype(float).mean(1), atol=1e-6)


@pytest.mark.parametrize("place", [0, 1, 2, 100, HOP_SAMPLES - 2, HOP_SAMPLES - 1])
def test_one_step_is_one_click_wherever_it_lies_in_its_frame(place: int) -> None:
    wave = tone(220, seconds=4.0)
    for second in range(4):
        wave[second * SECOND + SECOND // 2 + place :] += 0.3 * (-1) ** second
    found = sound_signals(wave[None].astype(np.float32)).click
    assert found.sum() == 4
    assert found.reshape(4, -1).sum(1).tolist() == [1, 1, 1, 1]


@FEW
@given(hz=st.floats(80, 350), phase=st.integers(0, HOP_SAMPLES))
def test_the_pulses_of_a_voice_are_no_clicks(hz: float, phase: int) -> None:
    ideal = np.zeros(2 * SECOND)
    ideal[np.arange(phase, 2 * SECOND - 1, SECOND / hz).astype(int)] = 0.8
    assert not sound_signals(ideal[None].astype(np.float32)).click.any()
    assert not sound_signals(pulses(hz)[None].astype(np.float32)).click.any()


def test_neither_are_noise_nor_silence_nor_speech(spoken: RealClips) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, (4, 2 * SECOND)).astype(np.float32)
    assert not sound_signals(noise).click.any()
    assert not sound_signals(np.zeros((1, SECOND), np.float32)).click.any()
    assert sound_signals(spoken.waveform).click.mean() * 50 < 0.05  # per second


def loud_places(wave: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Random samples inside loud voiced speech, at least 0.24 s apart."""
    signals = sound_signals(wave[None])
    level = 10 * np.log10((wave.reshape(-1, HOP_SAMPLES) ** 2).mean(1) + 1e-12)
    loud = np.flatnonzero((level > -30) & np.isfinite(signals.pitch_hz[0]))
    chosen: list[int] = []
    for frame in rng.permutation(loud[(loud > 4) & (loud < len(wave) // HOP_SAMPLES - 4)]):
        if all(abs(frame - other) > 12 for other in chosen):
            chosen.append(int(frame))
    return [frame * HOP_SAMPLES + int(rng.integers(HOP_SAMPLES)) for frame in chosen]


@pytest.mark.parametrize(("size", "least"), [(0.1, 0.15), (0.2, 0.2), (0.5, 0.35), (1.0, 0.45), (2.0, 0.6)])
def test_steps_inside_loud_speech_are_found(spoken: RealClips, size: float, least: float) -> None:
    """Steps of `size` times the level around them, in voices whose pulses are as sharp as steps.

    Four times the second differences within 30 ms, the rule before, found 0.03, 0.08, 0.16, 0.29 and 0.55.
    """
    rng = np.random.default_rng(5)
    found = []
    for clean in spoken.waveform:
        wave, places = clean.copy(), loud_places(clean, rng)
        for at in places:
            level = np.sqrt(np.mean(clean[at - 480 : at + 480] ** 2))
            wave[at:] += size * level * rng.choice([-1, 1])
        clicks = sound_signals(wave[None]).click[0]
        found += [bool(clicks[(at - 3) // HOP_SAMPLES : (at + 3) // HOP_SAMPLES + 1].any()) for at in places]
    assert len(found) > 200
    assert np.mean(found) > least


def test_speech_noise_and_vocoded_speech_have_hardly_a_click(spoken: RealClips) -> None:
    """Per second, over minutes of each."""
    rng = np.random.default_rng(3)
    speech = spoken.waveform
    hiss = speech + rng.normal(0, 0.01, speech.shape).astype(np.float32)
    noise = rng.normal(0, 0.2, (32, 5 * SECOND)).astype(np.float32)
    vocoded = vocode(torch.from_numpy(spoken.mel[:8]), torch.Generator().manual_seed(0)).numpy()
    for name, wave in {"speech": speech, "hiss": hiss, "noise": noise, "vocoded": vocoded}.items():
        assert sound_signals(wave).click.mean() * 50 < 0.02, name


def test_a_frame_depends_on_its_context_only() -> None:
    rng = np.random.default_rng(2)
    wave = (tone(180, 1.0) + 0.002 * rng.standard_normal(SECOND)).astype(np.float32)
    wave[15 * HOP_SAMPLES :] += 0.4
    first, last = 10 - CONTEXT_FRAMES, 20 + CONTEXT_FRAMES
    whole, part = (sound_signals(w[None]) for w in (wave, wave[first * HOP_SAMPLES : last * HOP_SAMPLES]))
    for name in whole.__dataclass_fields__:
        inner = getattr(part, name)[:, CONTEXT_FRAMES:-CONTEXT_FRAMES]
        np.testing.assert_array_equal(inner, getattr(whole, name)[:, 10:20], err_msg=name)
    assert whole.click[0, 10:20].sum() == 1


@pytest.mark.parametrize("shape", [(SECOND,), (1, SECOND + 1), (1, 2 * HOP_SAMPLES)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 1024 samples"):
        sound_signals(np.zeros(shape, np.float32))
