from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from metric_world import RealClips

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, log_mel
from mfbench.metrics.level import level_db
from mfbench.metrics.observe import Observation
from mfbench.metrics.sound_quality import rhythm
from mfbench.metrics.sound_signals import sound_signals
from mfbench.registry import METRICS

OF_SAMPLES = ("clip_rate", "dc", "click_rate")
OF_LEVEL = ("silence_frac", "snr_est", "modulation_dist")
SECOND = SAMPLE_RATE_HZ
RHYTHM_HZ = np.fft.rfftfreq(128, HOP_SAMPLES / SAMPLE_RATE_HZ)
RHYTHM_HZ = RHYTHM_HZ[(RHYTHM_HZ >= 1) & (RHYTHM_HZ <= 16)]


def sounding(real: Observation, wave: np.ndarray) -> Observation:
    """One clip with this waveform."""
    one, waves = real.select(np.array([0])), np.atleast_2d(wave).astype(np.float32)
    return replace(
        one, sound=sound_signals(waves), level_db=level_db(log_mel(torch.from_numpy(waves)).numpy())
    )


def value(name: str, seen: Observation, reference: Observation, spoken: RealClips) -> float:
    found = METRICS.build({"type": name}).scores(seen, reference, spoken.prompts).per_clip()[0]
    assert found is not None
    return found


def beating(hz: float, seconds: float = 5.12) -> np.ndarray:
    times = np.arange(round(seconds * SECOND)) / SECOND
    return 0.3 * (1 + 0.9 * np.sin(2 * np.pi * hz * times)) / 2 * np.sin(2 * np.pi * 400 * times)


def test_shares_and_rates_of_made_sounds(real: Observation, spoken: RealClips) -> None:
    wave = np.zeros(5 * SECOND)
    wave[: 2 * SECOND] = 0.2 * np.sin(2 * np.pi * 400 * np.arange(2 * SECOND) / SECOND)
    wave[2 * SECOND : 3 * SECOND] = 1.0
    seen = sounding(real, wave)
    assert value("clip_rate", seen, real, spoken) == pytest.approx(0.2)
    assert value("silence_frac", seen, real, spoken) == pytest.approx(0.4, abs=0.01)  # of 64 ms
    assert value("dc", seen, real, spoken) == pytest.approx(0.2, abs=1e-4)
    assert value("click_rate", seen, real, spoken) == pytest.approx(0.4)  # both edges of the block


@pytest.mark.parametrize("per_second", [1, 2, 5])
def test_one_step_per_second_is_one_click_per_second(
    per_second: int, real: Observation, spoken: RealClips
) -> None:
    wave = 0.2 * np.sin(2 * np.pi * 220 * np.arange(4 * SECOND) / SECOND)
    for index in range(4 * per_second):
        wave[round((index + 0.5) * SECOND / per_second) :] += 0.3 * (-1) ** index
    assert value("click_rate", sounding(real, wave), real, spoken) == pytest.approx(per_second)


def test_real_speech_hardly_clicks_or_clips(real: Observation, spoken: RealClips) -> None:
    for name, limit in (("click_rate", 0.5), ("clip_rate", 1e-3), ("dc", 0.01)):
        found = METRICS.build({"type": name}).compute(real, real, spoken.prompts)
        assert found.value is not None
        assert found.value < limit


@pytest.mark.parametrize("below_db", [10, 20, 30])
def test_the_spread_of_levels(below_db: float, real: Observation, spoken: RealClips) -> None:
    wave = np.random.default_rng(0).normal(0, 0.2, 4 * SECOND)
    wave[: 2 * SECOND] *= 10 ** (-below_db / 20)
    assert value("snr_est", sounding(real, wave), real, spoken) == pytest.approx(below_db, abs=2.5)
    levels = [value("snr_est", sounding(real, wave + n), real, spoken) for n in (0, 0.1 * wave[::-1], 0.1)]
    assert levels[2] < levels[0]


def test_noise_fills_the_gaps_of_speech(real: Observation, spoken: RealClips) -> None:
    noise = np.random.default_rng(1).standard_normal(spoken.waveform.shape[1])
    values = [
        value("snr_est", sounding(real, spoken.waveform[0] + size * noise), real, spoken)
        for size in (0, 0.005, 0.02, 0.1)
    ]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("hz", [2.0, 4.0, 6.25])
def test_the_rhythm_of_a_beating_tone(hz: float, real: Observation) -> None:
    spectrum = rhythm(sounding(real, beating(hz)))
    assert spectrum.shape == (1, len(RHYTHM_HZ))
    assert spectrum.sum() == pytest.approx(1)
    assert RHYTHM_HZ[spectrum[0].argmax()] == pytest.approx(hz, abs=0.2)


def test_the_distance_of_rhythms(real: Observation, spoken: RealClips) -> None:
    slow, fast = (sounding(real, beating(hz)) for hz in (2.5, 9.0))
    assert value("modulation_dist", slow, slow, spoken) == pytest.approx(0, abs=1e-9)
    assert 1.0 < value("modulation_dist", slow, fast, spoken) <= 2.0
    metric = METRICS.build({"type": "modulation_dist"})
    speech = metric.compute(real, real, spoken.prompts).value
    assert speech is not None
    assert speech < value("modulation_dist", fast, real, spoken)


def test_a_short_clip_has_no_rhythm(real: Observation, spoken: RealClips) -> None:
    short = replace(real, face=replace(real.face, motion=real.face.motion[:, :20]))
    result = METRICS.build({"type": "modulation_dist"}).compute(short, real, spoken.prompts)
    assert result.status == "not_applicable"


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_without_a_waveform_nothing_is_said_of_samples(
    name: str, real: Observation, spoken: RealClips
) -> None:
    result = METRICS.build({"type": name}).compute(replace(real, sound=None), real, spoken.prompts)
    assert (result.status, result.n) == ("not_applicable", 0)


@pytest.mark.parametrize("name", OF_LEVEL)
def test_loudness_needs_no_waveform(name: str, real: Observation, spoken: RealClips) -> None:
    metric = METRICS.build({"type": name})
    mute = replace(real, sound=None)
    assert metric.compute(mute, mute, spoken.prompts) == metric.compute(real, real, spoken.prompts)
    assert metric.compute(mute, mute, spoken.prompts).status == "ok"
