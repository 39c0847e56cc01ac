"""Whose voice is heard, and at what pitch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips

from mfbench.character.voices import HELD_OUT_VOICES, VOICES
from mfbench.mel import BANDS, HOP_SAMPLES, LOG_FLOOR, SAMPLE_RATE_HZ
from mfbench.metrics.base import MetricResult, Prompts, RootScores
from mfbench.metrics.level import noisy
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.readers.voice import VoiceReader, mean_spectra
from mfbench.metrics.sound_signals import sound_signals
from mfbench.registry import METRICS


def of(name: str, seen: Observation, prompts: Prompts) -> MetricResult:
    return METRICS.build({"type": name}).compute(seen, seen, prompts)


def own_and_others(likeness: np.ndarray, voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(voice))
    others = likeness.copy()
    others[rows, voice] = -np.inf
    return likeness[rows, voice], others.max(1)


def test_every_voice_is_nearest_to_itself_and_held_out_ones_are_too(
    real: Observation, spoken: RealClips
) -> None:
    voice = spoken.prompts.voice
    own, others = own_and_others(real.voice.likeness, voice)
    held_out = np.isin(voice, HELD_OUT_VOICES)
    assert held_out.sum() >= 4
    assert (own > others).all()
    assert own.mean() > 0.97
    assert own[held_out].mean() > 0.95
    assert own.min() > 0.9


def test_hiss_and_loudness_hardly_matter(readers: Readers, spoken: RealClips, real: Observation) -> None:
    louder = readers.voice.read(spoken.mel + np.float32(0.7)).likeness  # above the floor of the mel
    np.testing.assert_allclose(louder, real.voice.likeness, atol=1e-3)
    own, others = own_and_others(readers.voice.read(noisy(spoken.mel)).likeness, spoken.prompts.voice)
    assert own.mean() > 0.9
    assert (own > others).mean() > 0.85


def test_another_voice_is_told_from_the_one_asked_for(real: Observation, spoken: RealClips) -> None:
    asked = of("voice_sim", real, spoken.prompts)
    swapped = of("voice_sim", real, replace(spoken.prompts, voice=(spoken.prompts.voice + 4) % len(VOICES)))
    for one, other in zip(asked.per_clip, swapped.per_clip, strict=True):
        assert (one or 0) > (other or 0) + 0.1
    assert (swapped.value or 0) < 0.2


def test_the_order_of_frames_does_not_matter(readers: Readers, spoken: RealClips) -> None:
    mixed = spoken.mel[:4, np.random.default_rng(0).permutation(spoken.mel.shape[1])]
    np.testing.assert_allclose(
        readers.voice.read(mixed).likeness, readers.voice.read(spoken.mel[:4]).likeness, atol=1e-4
    )


def test_silence_and_hiss_have_no_voice(readers: Readers) -> None:
    silent = np.full((1, 100, BANDS), LOG_FLOOR, np.float32)
    hissing = np.linspace(-8, -2, BANDS, dtype=np.float32)[None, None].repeat(100, 1)  # strong at the top
    for mel in (silent, hissing):
        assert np.isnan(readers.voice.read(mel).likeness).all()
    short = np.linspace(-2, -8, BANDS, dtype=np.float32)[None, None]
    assert np.isnan(mean_spectra(short.repeat(15, 1))).all()
    assert np.isfinite(mean_spectra(short.repeat(16, 1))).all()  # 0.32 s


def test_the_mean_spectrum_is_that_of_voiced_frames_without_their_level() -> None:
    slope = np.linspace(2, -2, BANDS).astype(np.float32)
    mel = np.concatenate([slope + level for level in (0.0, -1.0)])[None].reshape(1, 2, BANDS).repeat(20, 1)
    mel = np.concatenate([mel, -slope[None, None].repeat(40, 1)], axis=1)  # hiss, not counted
    np.testing.assert_allclose(mean_spectra(mel)[0], slope - slope.mean(), atol=1e-5)


def test_voices_that_cannot_be_told_apart_are_refused(spoken: RealClips) -> None:
    two = spoken.mel[:2]
    with pytest.raises(ValueError, match=r"2 clips have 2 voices, 1 of them different"):
        VoiceReader.fit(two, np.zeros(2, np.int64), spoken.prompts.timelines)
    with pytest.raises(ValueError, match="2 clips have 3 voices"):
        VoiceReader.fit(two, np.arange(3), spoken.prompts.timelines)


def test_without_a_known_voice_there_is_no_value(real: Observation, spoken: RealClips) -> None:
    nobody = replace(spoken.prompts, voice=np.full(real.clips, -1))
    for name in ("voice_sim", "f0_rmse_st"):
        assert (of(name, real, nobody).status, of(name, real, nobody).n) == ("not_applicable", 0)
        half = replace(spoken.prompts, voice=np.where(np.arange(real.clips) % 2, spoken.prompts.voice, -1))
        assert of(name, real, half).coverage == 0.5
    deaf = replace(real, sound=None)
    assert of("f0_rmse_st", deaf, spoken.prompts).status == "not_applicable"
    assert of("voice_sim", deaf, spoken.prompts).status == "ok"


def tones(pitches_hz: list[float], seconds: float = 1.28) -> np.ndarray:
    """A pulse-like voice at each pitch, [clips, samples]."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    waves = [sum(np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 8)) for hz in pitches_hz]
    return (0.1 * np.stack(waves)).astype(np.float32)


def heard(real: Observation, waveform: np.ndarray) -> Observation:
    return replace(real.select(np.arange(len(waveform))), sound=sound_signals(waveform))


def asked_for(voices: list[int], prompts: Prompts) -> Prompts:
    count = len(voices)
    return Prompts(prompts.timelines[:count], np.array(voices), *(np.zeros(count, np.int64),) * 3)


@pytest.mark.parametrize("semitones", [0.0, 1.0, -2.0, 5.0, 12.0])
def test_a_shift_of_pitch_is_its_semitones(semitones: float, real: Observation, spoken: RealClips) -> None:
    voices = [0, 2, 3]
    waves = tones([VOICES[v].f0_hz * 2 ** (semitones / 12) for v in voices])
    found = of("f0_rmse_st", heard(real, waves), asked_for(voices, spoken.prompts))
    assert found.per_clip == pytest.approx([abs(semitones)] * 3, abs=0.1)
    assert found.value == pytest.approx(abs(semitones), abs=0.1)


def test_clips_combine_as_a_root_mean_square(real: Observation, spoken: RealClips) -> None:
    waves = tones([VOICES[0].f0_hz, VOICES[0].f0_hz * 2 ** (6 / 12)])
    found = of("f0_rmse_st", heard(real, waves), asked_for([0, 0], spoken.prompts))
    assert found.value == pytest.approx(np.sqrt(6**2 / 2), abs=0.1)


def test_some_frames_an_octave_off_leave_the_median_and_most_move_it(
    real: Observation, spoken: RealClips
) -> None:
    seen, prompts = heard(real, tones([VOICES[0].f0_hz])), asked_for([0], spoken.prompts)
    assert seen.sound is not None
    pitch = np.full_like(seen.sound.pitch_hz, VOICES[0].f0_hz)
    for share, wanted in ((0.4, 0.0), (0.6, 12.0)):
        misheard = pitch.copy()
        misheard[:, : round(share * pitch.shape[1])] *= 2
        found = of("f0_rmse_st", replace(seen, sound=replace(seen.sound, pitch_hz=misheard)), prompts)
        assert found.value == pytest.approx(wanted, abs=1e-5)


def test_too_little_voice_has_no_pitch(real: Observation, spoken: RealClips) -> None:
    seen = heard(real, tones([100.0, 100.0]))
    assert seen.sound is not None
    pitch = np.full_like(seen.sound.pitch_hz, np.nan)
    pitch[0, :15], pitch[1, :16] = VOICES[0].f0_hz, VOICES[0].f0_hz
    found = of(
        "f0_rmse_st",
        replace(seen, sound=replace(seen.sound, pitch_hz=pitch)),
        asked_for([0, 0], spoken.prompts),
    )
    assert found.per_clip[0] is None
    assert found.per_clip[1] == pytest.approx(0, abs=1e-5)
    quiet = of(
        "f0_rmse_st", heard(real, np.zeros((1, 20 * HOP_SAMPLES), np.float32)), asked_for([0], spoken.prompts)
    )
    assert quiet.status == "not_applicable"


def test_real_clips_have_the_pitch_of_their_voice(real: Observation, spoken: RealClips) -> None:
    right = of("f0_rmse_st", real, spoken.prompts)
    assert (right.value or 99) < 0.5
    wrong = of("f0_rmse_st", real, replace(spoken.prompts, voice=(spoken.prompts.voice + 4) % len(VOICES)))
    assert (wrong.value or 0) > 5


@settings(max_examples=25)
@given(errors=st.lists(st.floats(-26, 26), min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_a_root_of_means(errors: list[float], order: object) -> None:
    squared = np.array(errors) ** 2
    scores = RootScores(np.ones(len(errors), bool), squared, np.ones(len(errors)))
    clips = np.arange(len(errors))
    mixed = clips.copy()
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert scores.value(clips) == pytest.approx(np.sqrt(np.mean(squared)))
    assert scores.value(mixed) == pytest.approx(scores.value(clips))
    assert scores.per_clip() == pytest.approx(np.abs(errors))
    assert (scores.value(clips) or 0) >= np.abs(errors).mean() - 1e-9
