"""Real clips on disk: what the data stage writes and later stages read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.character.timeline import Timeline
from mfbench.mel import log_mel

if TYPE_CHECKING:  # the world costs a second to import, and trainings need none of it
    from mfbench.data.talking_character import CharacterArrays


@dataclass(frozen=True)
class Clips:
    """Stacked clips of one split.

    Attributes:
        face: float32 [clips, frames, 34].
        mel: float32 [clips, mel_frames, 64], natural log.
        words: int64 [clips, chunks, slots].
        voice_descriptor: float32 [clips, 5].
        voice, identity: int64 [clips].
    """

    face: NDArray[np.float32]
    mel: NDArray[np.float32]
    words: NDArray[np.int64]
    voice_descriptor: NDArray[np.float32]
    voice: NDArray[np.int64]
    identity: NDArray[np.int64]
    timelines: tuple[Timeline, ...]

    def take(self, rows: slice) -> Clips:
        """Some of the clips."""
        return Clips(
            self.face[rows],
            self.mel[rows],
            self.words[rows],
            self.voice_descriptor[rows],
            self.voice[rows],
            self.identity[rows],
            self.timelines[rows],
        )


_ARRAYS = ("face", "mel", "words", "voice_descriptor", "voice", "identity")


def from_character(arrays: CharacterArrays) -> Clips:
    """Clips of the talking character, with the mel measured from the waveform."""
    mel = torch.cat(
        [log_mel(torch.from_numpy(part)) for part in np.array_split(arrays.waveform, 8) if len(part)]
    )
    return Clips(
        arrays.face,
        mel.numpy(),
        arrays.words,
        arrays.reference_voice,
        arrays.voice,
        arrays.identity,
        arrays.timelines,
    )


def save(clips: Clips, path: Path) -> None:
    """Write `path` (npz without pickles) and the timelines beside it."""
    np.savez(path, **{name: getattr(clips, name) for name in _ARRAYS})
    path.with_suffix(".json").write_text(json.dumps([t.to_json() for t in clips.timelines]))


def load(path: Path) -> Clips:
    """Read what `save` wrote."""
    timelines = tuple(Timeline.from_json(t) for t in json.loads(path.with_suffix(".json").read_text()))
    with np.load(path, allow_pickle=False) as arrays:
        values = {name: arrays[name] for name in _ARRAYS}
    return Clips(timelines=timelines, **values)
