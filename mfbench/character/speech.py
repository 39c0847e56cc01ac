"""A source-filter speech synthesiser: control tracks from a timeline, waveform from control tracks.

Glottal source: KLGLOTT88 (Klatt & Klatt 1990); cascade of five resonators (Klatt 1980) with nasal
bandwidths; noise through one moving resonator. Filtering happens in the short-time Fourier domain (hop 5 ms,
Hann 20 ms) as one batched transform, 50 times faster than recursive filters per control period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from mfbench.character.phones import PHONE_INDEX, PHONES
from mfbench.character.streams import TICK_S, Float, normal, smooth, ticks
from mfbench.character.timeline import Timeline
from mfbench.character.voices import Voice

SAMPLE_RATE_HZ = 16000
BURST_S = 0.025
OPEN_QUOTIENT = 0.6
BANDWIDTHS_HZ = np.array([60.0, 90.0, 130.0, 200.0, 260.0])
NASAL_BANDWIDTH = np.array([1.2, 2.5, 3.0, 3.0, 3.0])


@dataclass(frozen=True)
class Tracks:
    """Control tracks, one row per 5 ms.

    Attributes:
        time_s: centres of the control periods.
        formants_hz: [ticks, 3].
        voicing, noise, noise_hz, noise_bandwidth_hz, nasal: [ticks].
        mouth: open, width, round, teeth, [ticks, 4].
        f0_hz: pitch.
    """

    time_s: Float
    formants_hz: Float
    voicing: Float
    noise: Float
    noise_hz: Float
    noise_bandwidth_hz: Float
    nasal: Float
    mouth: Float
    f0_hz: Float

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where the voice source is on."""
        return self.voicing > 0.05


def control_tracks(timeline: Timeline, voice: Voice, rng: np.random.Generator) -> Tracks:
    """Targets per phone, smoothed: formants over 50 ms, amplitudes 18 ms, mouth 75 ms (coarticulation)."""
    time = ticks(timeline.duration_s)
    count = len(time)
    target = np.zeros((count, 8))
    mouth = np.zeros((count, 4))
    for name, start, end in timeline.phones:
        phone = PHONES[PHONE_INDEX[name]]
        here = (time >= start) & (time < end)
        target[here, :3] = np.array(phone.formants_hz) * voice.formant_scale
        target[here, 3:7] = phone.voicing, phone.noise, phone.noise_hz, phone.noise_bandwidth_hz
        target[here, 7] = float(phone.kind == "nasal")
        if phone.kind == "plosive":  # closure, then a burst in the last 25 ms
            burst = here & (time >= end - BURST_S)
            target[here & ~burst, 4] = 0.0
            target[burst, 3] = 0.0
        mouth[here] = phone.mouth.open, phone.mouth.width, phone.mouth.round, phone.mouth.teeth
    wobble = smooth(normal(rng, count)[:, None], 0.30)[:, 0]
    wobble /= wobble.std() + 1e-9
    declination = 1.06 - 0.12 * time / timeline.duration_s
    return Tracks(
        time_s=time,
        formants_hz=smooth(target[:, :3], 0.050),
        voicing=smooth(target[:, 3], 0.018),
        noise=smooth(target[:, 4], 0.018),
        noise_hz=target[:, 5],
        noise_bandwidth_hz=target[:, 6],
        nasal=smooth(target[:, 7], 0.020),
        mouth=smooth(mouth, 0.075),
        f0_hz=voice.f0_hz * declination * (1 + 0.05 * wobble),
    )


def synthesise(tracks: Tracks, voice: Voice, rng: np.random.Generator) -> NDArray[np.float32]:
    """Waveform in [-0.5, 0.5] at 16 kHz, as long as the tracks."""
    block = round(SAMPLE_RATE_HZ * TICK_S)
    count = len(tracks.time_s) * block
    time = (np.arange(count) + 0.5) / SAMPLE_RATE_HZ
    noise = rng.random(count) * 2 - 1
    voiced = _glottal(np.interp(time, tracks.time_s, tracks.f0_hz), voice, noise)
    voiced = voiced * np.interp(time, tracks.time_s, tracks.voicing)
    friction = 1.2 * noise * np.interp(time, tracks.time_s, tracks.noise)
    from scipy.signal import sosfilt  # takes half a second, which a plan has no use for

    wave = _filtered(voiced, friction, tracks, voice, block)[:count]
    wave = sosfilt([[1, -1, 0, 1, -0.97, 0]], wave)  # lip radiation, and no DC
    return (0.5 * np.tanh(1.2 * wave) + (rng.random(count) - 0.5) * 2e-4).astype(np.float32)


def _glottal(f0_hz: Float, voice: Voice, noise: Float) -> Float:
    """KLGLOTT88 flow derivative with spectral tilt and aspiration."""
    from scipy.signal import sosfilt

    phase = np.cumsum(f0_hz / SAMPLE_RATE_HZ) % 1.0
    opening = np.minimum(phase / OPEN_QUOTIENT, 1.0)
    flow = np.where(phase < OPEN_QUOTIENT, 2 * opening - 3 * opening**2, 0.0)
    pole = 0.9 * voice.tilt
    tilted = 3.0 * sosfilt([[1 - pole, 0, 0, 1, -pole, 0]], flow)
    return np.asarray(tilted + 3 * noise * voice.breathiness * (0.5 + 0.5 * (phase < OPEN_QUOTIENT)))


def _filtered(voiced: Float, friction: Float, tracks: Tracks, voice: Voice, block: int) -> Float:
    """Overlap-add of both sources through their frame-wise frequency responses."""
    width, size = 4 * block, 8 * block
    window = 0.5 * (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(width) + 0.5) / width))
    frames = len(tracks.time_s) + 3
    nearest = np.clip(np.arange(frames) - 2, 0, len(tracks.time_s) - 1)  # frame centre to control tick
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size).astype(np.complex64)

    def spectrum(source: Float) -> NDArray[np.complex64]:
        padded = np.pad(source, (width - block, width))
        view = np.lib.stride_tricks.sliding_window_view(padded, width)[::block][:frames]
        return np.asarray(rfft((view * window).astype(np.float32), size), np.complex64)

    response = spectrum(voiced) * _cascade(tracks, voice, delay)[nearest]
    response += spectrum(friction) * _noise_resonator(tracks, voice, delay)[nearest]
    pieces = irfft(response, size).reshape(frames, size // block, block)
    out = np.zeros((frames + size // block, block))
    for j in range(size // block):
        out[j : j + frames] += pieces[:, j]
    return np.asarray(out.reshape(-1)[width - block :])


def _resonator(frequency_hz: Float, bandwidth_hz: Float) -> tuple[Float, Float]:
    """Klatt's two-pole coefficients (B, C), as columns."""
    radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE_HZ)
    b = 2 * radius * np.cos(2 * np.pi * frequency_hz / SAMPLE_RATE_HZ)
    return b[:, None].astype(np.float32), (-(radius**2))[:, None].astype(np.float32)


def _cascade(tracks: Tracks, voice: Voice, delay: NDArray[np.complex64]) -> NDArray[np.complex64]:
    count = len(tracks.time_s)
    upper = np.tile(np.array([3500.0, 4500.0]) * voice.formant_scale, (count, 1))
    formants = np.minimum(np.concatenate([tracks.formants_hz, upper], 1), 7600)
    bandwidths = BANDWIDTHS_HZ * (1 + tracks.nasal[:, None] * NASAL_BANDWIDTH)
    gain: Float = np.ones((count, 1))
    poles: NDArray[np.complex64] = np.ones((count, len(delay)), np.complex64)
    for k in range(len(BANDWIDTHS_HZ)):
        b, c = _resonator(formants[:, k], bandwidths[:, k])
        gain = gain * (1 - b - c)
        poles *= 1 - b * delay - c * delay * delay
    return (gain / poles).astype(np.complex64)


def _noise_resonator(tracks: Tracks, voice: Voice, delay: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """One resonator of unit mean power."""
    centre = np.minimum(tracks.noise_hz * (0.7 + 0.3 * voice.formant_scale), 7400)
    b, c = _resonator(centre, tracks.noise_bandwidth_hz)
    response = 1 / (1 - b * delay - c * delay * delay)
    power = (np.abs(response) ** 2).mean(1, keepdims=True)
    return np.asarray(response / np.sqrt(power), dtype=np.complex64)
