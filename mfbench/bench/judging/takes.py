"""Held-out real clips with sound to spare on both sides, so that a shift needs no silence at the ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.bench.judging.kit import FRAME_RATE_HZ, Kit
from mfbench.character.face import render
from mfbench.character.performance import perform
from mfbench.character.timeline import Timeline
from mfbench.mel import SAMPLE_RATE_HZ, log_mel
from mfbench.metrics.base import Prompts
from mfbench.metrics.observe import Observation, observe
from mfbench.metrics.readers.images import READ_SIZE_PX, Pixels

FloatArray = NDArray[np.float32]

MARGIN_S = 0.8


@dataclass(frozen=True)
class Takes:
    """Clips of one length and what surrounds them.

    Attributes:
        face: `character.face.FACE_PARAMETERS` of the clips, [clips, frames, 34].
        surrounding: sound from `MARGIN_S` before to `MARGIN_S` after the clips, [clips, samples].
        voice, identity: [clips].
        timelines: what is said within the clips.
    """

    face: FloatArray
    surrounding: FloatArray
    voice: NDArray[np.int64]
    identity: NDArray[np.int64]
    timelines: tuple[Timeline, ...]

    @property
    def seconds(self) -> float:
        """Length of a clip."""
        return float(self.face.shape[1] / FRAME_RATE_HZ)

    def pictures(self, size_px: int = READ_SIZE_PX) -> Pixels:
        """Drawn, uint8 [clips, frames, size, size, 3]."""
        return draw(self.face, size_px)

    def prompts(self) -> Prompts:
        """What the clips were asked to be: what they are."""
        count = len(self.voice)
        return Prompts(self.timelines, self.voice, self.identity, np.arange(count), np.zeros(count, np.int64))

    def sound(self, lead_ms: float = 0.0) -> FloatArray:
        """Waveforms of the clips, which lead the picture by so much, [clips, samples]."""
        start = round((MARGIN_S + lead_ms / 1000) * SAMPLE_RATE_HZ)
        return self.surrounding[:, start : start + round(self.seconds * SAMPLE_RATE_HZ)]


def real_takes(count: int, seconds: float, split: str = "test") -> Takes:
    """Clips of a split that no judge was fitted on."""
    whole_s = seconds + 2 * MARGIN_S
    made = [perform(0, split, index, whole_s, FRAME_RATE_HZ) for index in range(count)]
    first, frames = round(MARGIN_S * FRAME_RATE_HZ), round(seconds * FRAME_RATE_HZ)
    return Takes(
        face=np.stack([take.face[first : first + frames] for take in made]),
        surrounding=np.stack([take.waveform for take in made]),
        voice=np.array([take.voice for take in made]),
        identity=np.array([take.identity for take in made]),
        timelines=tuple(within(take.timeline, MARGIN_S, MARGIN_S + seconds) for take in made),
    )


def within(timeline: Timeline, start_s: float, end_s: float) -> Timeline:
    """The phones and words whose middle lies in a stretch of time, timed from its start."""

    def kept(a: float, b: float) -> bool:
        return start_s <= (a + b) / 2 < end_s

    phones = tuple((name, a - start_s, b - start_s) for name, a, b in timeline.phones if kept(a, b))
    words = tuple((index, a - start_s, b - start_s) for index, a, b in timeline.words if kept(a, b))
    return Timeline(phones, words, end_s - start_s)


def draw(face: FloatArray, size_px: int = READ_SIZE_PX) -> Pixels:
    """Face parameters [clips, frames, 34] => uint8 [clips, frames, size, size, 3]."""
    flat = render(face.reshape(-1, face.shape[-1]), size_px)
    return flat.reshape(*face.shape[:2], size_px, size_px, 3)


def view(kit: Kit, frames: Pixels, waveform: FloatArray) -> Observation:
    """Clips as the judges see and hear them."""
    return observe(frames, mel_of(waveform), kit.readers, waveform)


def mel_of(waveform: FloatArray) -> FloatArray:
    """Log-mel of waveforms [clips, samples]."""
    return np.asarray(log_mel(torch.from_numpy(np.ascontiguousarray(waveform))).numpy())


def hear(kit: Kit, seen: Observation, waveform: FloatArray) -> Observation:
    """The same pictures with other sound."""
    return seen.hearing(mel_of(waveform), kit.readers, waveform)
