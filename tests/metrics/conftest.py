"""A small real world with fitted readers, made once per test run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from metric_world import FPS, RealClips, real_clips

from mfbench.metrics.observe import Observation, Readers, observe


@pytest.fixture(scope="session")
def train() -> RealClips:
    return real_clips("train", 48)


@pytest.fixture(scope="session")
def spoken() -> RealClips:
    return real_clips("test", 32)


@pytest.fixture(scope="session")
def readers(train: RealClips) -> Readers:
    said, voice = train.prompts.timelines, train.prompts.voice
    return Readers.fit(train.face, train.frames, train.mel, said, voice, FPS, np.random.default_rng(0))


@pytest.fixture(scope="session")
def real(spoken: RealClips, readers: Readers) -> Observation:
    return replace(observe(spoken.frames, spoken.mel, readers, spoken.waveform), chunk_s=0.32)


@pytest.fixture(scope="session")
def reference(readers: Readers) -> Observation:
    clips = real_clips("reference", 48)
    return observe(clips.frames, clips.mel, readers, clips.waveform)
