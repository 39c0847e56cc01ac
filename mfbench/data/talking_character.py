"""The talking character as a data set: arrays of clips with conditions and ground truth."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mfbench.character.performance import Performance, perform
from mfbench.character.timeline import Timeline
from mfbench.character.voices import VOICES, voice_descriptor
from mfbench.clip_spec import ClipSpec
from mfbench.data.augment import varied_looks
from mfbench.data.conditions import word_slots
from mfbench.processes import die_with_parent
from mfbench.registry import WORLDS

LEAST_S = 1.28  # of a training clip: what the judges that are fitted on it look at
PRESETS: dict[str, ClipSpec] = {
    "motion": ClipSpec(
        frames_per_video_token=1, video_channels=34, mel_frames_per_audio_token=4, audio_channels=48
    ),
    "latent32": ClipSpec(
        frames_per_video_token=1, video_channels=128, mel_frames_per_audio_token=4, audio_channels=64
    ),
    "pixel32": ClipSpec(
        frames_per_video_token=2,
        video_grid=(4, 4),
        video_channels=384,
        mel_frames_per_audio_token=4,
        audio_channels=256,
    ),
    "pixel64": ClipSpec(
        fps="25",
        frame_size_px=64,
        frames_per_video_token=2,
        video_grid=(8, 8),
        video_channels=384,
        mel_frames_per_audio_token=4,
        audio_channels=256,
    ),
}


@dataclass(frozen=True)
class CharacterArrays:
    """Clips of one split, stacked.

    Attributes:
        face: float32 [clips, frames, 34].
        waveform: float32 [clips, samples] at 16 kHz.
        words: int64 [clips, chunks, slots].
        reference_voice: float32 [clips, 5], standardised voice descriptors.
        voice, identity: int64 [clips].
    """

    face: NDArray[np.float32]
    waveform: NDArray[np.float32]
    words: NDArray[np.int64]
    reference_voice: NDArray[np.float32]
    voice: NDArray[np.int64]
    identity: NDArray[np.int64]
    timelines: tuple[Timeline, ...]


@WORLDS.register_module()
class TalkingCharacter:
    """A drawn character that speaks from a closed lexicon; generated from a seed, nothing downloaded.

    Options:
        preset: `motion` (CPU default), `latent32`, `pixel32`, `pixel64`.
        train_clips: size of the training split.
        seconds: length of training clips.
        vary_looks: change palette and shape of every clip that a network is trained on (see `augment`).
        seed: of the whole world.
    """

    version = 3  # raised with character.DATA_VERSION, so that stages of an older world are not reused

    def __init__(
        self,
        *,
        preset: Literal["motion", "latent32", "pixel32", "pixel64"] = "motion",
        train_clips: Annotated[int, Field(ge=8, le=10**6)] = 1024,
        seconds: Annotated[float, Field(ge=LEAST_S, le=10**4)] = 5.12,
        vary_looks: bool = True,
        seed: Annotated[int, Field(ge=0, le=2**63)] = 0,
    ) -> None:
        if preset not in PRESETS:
            raise ValueError(f"no preset is called {preset!r}; presets are {', '.join(PRESETS)}")
        self.preset, self.train_clips, self.seconds, self.seed = preset, train_clips, seconds, seed
        self.vary_looks = vary_looks
        base = PRESETS[preset]
        self.spec = base.with_chunks(base.chunks_in(seconds))

    def arrays(self, split: str, count: int, seconds: float, *, workers: int = 1) -> CharacterArrays:
        """The first `count` clips of a split; the same for any number of workers."""
        seconds = self.spec.with_chunks(self.spec.chunks_in(seconds)).duration_s
        make = partial(_make, self.seed, split, seconds, self.spec.frame_rate_hz)
        if workers == 1:
            return self._stack(map(make, range(count)), seconds)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=die_with_parent, initargs=(os.getpid(),)
        ) as pool:
            return self._stack(pool.map(make, range(count), chunksize=16), seconds)

    def augmented(self, face: NDArray[np.float32]) -> NDArray[np.float32]:
        """Face parameters [clips, frames, 34] as a network is trained on; judges see the clips themselves."""
        return varied_looks(face, np.random.default_rng([self.seed, 4])) if self.vary_looks else face

    def _stack(self, made: Iterable[Performance], seconds: float) -> CharacterArrays:
        clips = list(made)
        chunks = self.spec.chunks_in(seconds)
        return CharacterArrays(
            face=np.stack([c.face for c in clips]),
            waveform=np.stack([c.waveform for c in clips]),
            words=np.stack([word_slots(c.timeline, self.spec.chunk_seconds, chunks) for c in clips]),
            reference_voice=np.stack([voice_descriptor(VOICES[c.voice]) for c in clips]),
            voice=np.array([c.voice for c in clips]),
            identity=np.array([c.identity for c in clips]),
            timelines=tuple(c.timeline for c in clips),
        )


def _make(seed: int, split: str, seconds: float, fps: float, index: int) -> Performance:
    return perform(seed, split, index, seconds, fps)
