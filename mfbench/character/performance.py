"""One clip of the talking character with its ground truth, pure in (seed, split, index, duration, rate)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfbench.character.face import MOTION_PARAMETERS
from mfbench.character.identity import HELD_OUT_IDENTITIES, IDENTITIES, identity_parameters
from mfbench.character.motion import natural_motion
from mfbench.character.speech import Tracks, control_tracks, synthesise
from mfbench.character.streams import shuffled, stream
from mfbench.character.timeline import Timeline, script
from mfbench.character.voices import HELD_OUT_VOICES, VOICES

SPLITS = ("train", "val", "test", "reference")
MOUTH = ("open", "width", "round", "teeth")


@dataclass(frozen=True)
class Performance:
    """A clip and everything that is known about it.

    Attributes:
        waveform: float32 [samples] at 16 kHz.
        face: float32 [frames, 34], `face.FACE_PARAMETERS` at (k + 0.5) / fps.
        voice, identity: indices into VOICES and IDENTITIES.
        tracks: control tracks at 5 ms.
    """

    waveform: NDArray[np.float32]
    face: NDArray[np.float32]
    timeline: Timeline
    voice: int
    identity: int
    tracks: Tracks


def cast(split: str, index: int, seed: int) -> tuple[int, int]:
    """Voice and identity of a clip, stratified: every block of clips uses each one equally often.

    `train` and `val` leave the held-out ones out; `test` and `reference` draw from all.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
    everyone = split in ("test", "reference")
    voices = [v for v in range(len(VOICES)) if everyone or v not in HELD_OUT_VOICES]
    faces = [i for i in range(len(IDENTITIES)) if everyone or i not in HELD_OUT_IDENTITIES]
    return (
        voices[_stratified(split, index, seed, "voice", len(voices))],
        faces[_stratified(split, index, seed, "identity", len(faces))],
    )


def _stratified(split: str, index: int, seed: int, purpose: str, count: int) -> int:
    block, place = divmod(index, count)
    return shuffled(stream(seed, split, block, purpose), count)[place]


def perform(seed: int, split: str, index: int, duration_s: float, fps: float) -> Performance:
    """Make clip `index` of a split."""
    voice, identity = cast(split, index, seed)
    timeline = script(stream(seed, split, index, "script"), duration_s, VOICES[voice].rate)
    return act(timeline, voice, identity, (seed, split, index), fps)


def act(timeline: Timeline, voice: int, identity: int, key: tuple[int, str, int], fps: float) -> Performance:
    """Speak and show a given timeline."""
    tracks = control_tracks(timeline, VOICES[voice], stream(*key, "pitch"))
    waveform = synthesise(tracks, VOICES[voice], stream(*key, "noise"))
    motion = natural_motion(timeline.duration_s, stream(*key, "motion"))
    times = (np.arange(round(timeline.duration_s * fps)) + 0.5) / fps

    def shown(track: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(times, tracks.time_s, track))

    mouth = {name: tracks.mouth[:, i] for i, name in enumerate(MOUTH)}
    moving = [shown(mouth[n] if n in mouth else getattr(motion, n)) for n in MOTION_PARAMETERS]
    looks = np.tile(identity_parameters(IDENTITIES[identity]), (len(times), 1))
    face = np.concatenate([np.stack(moving, 1), looks], 1).astype(np.float32)
    face[:, len(MOTION_PARAMETERS) + 18] = shown(motion.light)
    return Performance(waveform, face, timeline, voice, identity, tracks)
