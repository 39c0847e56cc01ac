"""Real clips that tests of metrics share; not named conftest, of which there are several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mfbench.character.face import render
from mfbench.character.performance import Performance, perform
from mfbench.mel import log_mel
from mfbench.metrics.base import Prompts

FPS = 12.5


@dataclass(frozen=True)
class RealClips:
    """Real clips of one split."""

    face: np.ndarray
    frames: np.ndarray
    mel: np.ndarray
    waveform: np.ndarray
    prompts: Prompts


def draw(face: np.ndarray, size_px: int = 32) -> np.ndarray:
    flat = face.reshape(-1, face.shape[-1]).astype(np.float32)
    return render(flat, size_px).reshape(*face.shape[:2], size_px, size_px, 3)


def real_clips(split: str, count: int, seconds: float = 5.12) -> RealClips:
    takes: list[Performance] = [perform(0, split, i, seconds, FPS) for i in range(count)]
    face = np.stack([take.face for take in takes])
    waveform = np.stack([take.waveform for take in takes])
    prompts = Prompts(
        timelines=tuple(take.timeline for take in takes),
        voice=np.array([take.voice for take in takes]),
        identity=np.array([take.identity for take in takes]),
        prompt=np.arange(count),
        seed=np.zeros(count, dtype=np.int64),
    )
    return RealClips(face, draw(face), log_mel(torch.from_numpy(waveform)).numpy(), waveform, prompts)
