"""One film of any length read block by block: pictures are never held longer than a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, log_mel
from mfbench.metrics.embedding import WINDOW_S, window_features
from mfbench.metrics.level import centroid_hz, level_db
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.picture_signals import PictureSignals, picture_signals
from mfbench.metrics.readers.images import Pixels
from mfbench.metrics.readers.pixels import FaceReading
from mfbench.metrics.sound_signals import CONTEXT_FRAMES, SoundSignals, sound_signals

FloatArray = NDArray[np.float32]
Track = TypeVar("Track", PictureSignals, SoundSignals, FaceReading)

_CONTEXT = CONTEXT_FRAMES * HOP_SAMPLES
_BLOCK_S = 2.56  # a whole number of every 4 frames, and more than names the character
_OF_CLIP = ("identity",)  # what does not run with time
_SURE_S = 2.0  # from the beginning of a film, by which its character is known
_SURE_SHARE = 0.5


class Block(Protocol):
    """A stretch of a film: uint8 [n, size, size, 3] and the sound that goes with it, float32 [samples]."""

    @property
    def frames(self) -> Pixels:
        """Pictures."""

    @property
    def waveform(self) -> FloatArray:
        """Sound."""


@dataclass(frozen=True)
class Film:
    """What was read from one film.

    Attributes:
        seen: an observation of this one clip.
        is_character: whether the readers know the face; where not, nothing that they read means anything.
    """

    seen: Observation
    is_character: bool


class TooShortError(ValueError):
    """A film in which no window fits."""


def observe_film(blocks: Iterable[Block], frame_rate_hz: float, readers: Readers) -> Film:
    """Read a film.

    Args:
        blocks: in order, without gaps, each a whole number of 20 ms; how long they are changes nothing.
        frame_rate_hz: of the blocks; a multiple of 12.5.
        readers: fitted judges.

    Raises:
        TooShortError: for less than 0.64 s.
    """
    faces: list[FaceReading] = []
    pictures: list[PictureSignals] = []
    sounds, mels = [], []
    last: Pixels | None = None

    def waveforms() -> Iterator[FloatArray]:
        nonlocal last
        for pixels, waveform in _even(blocks, frame_rate_hz):
            frames = pixels[None]
            known = faces[0].identity if faces else None
            faces.append(readers.pixels.read(frames, frame_rate_hz, known))
            pictures.append(picture_signals(frames, last))
            last = frames[:, -1]
            yield waveform

    for waveform, before, after in _with_context(waveforms()):
        sounds.append(_cut(sound_signals(waveform[None]), before, after))
        mel = log_mel(torch.from_numpy(waveform[None])).numpy()
        mels.append(mel[:, before : mel.shape[1] - after])
    if not faces or sum(face.motion.shape[1] for face in faces) < round(WINDOW_S * frame_rate_hz):
        raise TooShortError(f"shorter than {WINDOW_S} s")
    tracks = _joined(faces), _joined(pictures), _joined(sounds)
    return _film(*tracks, np.concatenate(mels, axis=1), frame_rate_hz, readers)


def _film(
    face: FaceReading,
    picture: PictureSignals,
    sound: SoundSignals,
    mel: FloatArray,
    frame_rate_hz: float,
    readers: Readers,
) -> Film:
    speech = readers.hear(mel)
    features = window_features(face, speech, mel, readers.pixels, frame_rate_hz)
    seen = Observation(
        frame_rate_hz=frame_rate_hz,
        face=face,
        speech=speech,
        voice=readers.voice.read(mel),
        level_db=level_db(mel),
        centroid_hz=centroid_hz(mel),
        windows=readers.embedder.embed(features),
        judged=readers.judges.judge(face.mouth_image, mel, frame_rate_hz),
        picture=picture,
        sound=sound,
        intact=np.ones(1, dtype=np.bool_),
    )
    return Film(seen, shows_character(face.drawn, seen.duration_s))


def shows_character(drawn: NDArray[np.bool_], seconds: float) -> bool:
    """Whether the first 2 s of a film of so many seconds show a drawn face; `drawn` is [1, checked]."""
    checked = max(1, round(_SURE_S / seconds * drawn.shape[1]))
    return bool(drawn[:, :checked].mean() >= _SURE_SHARE)


def _even(blocks: Iterable[Block], frame_rate_hz: float) -> Iterator[tuple[Pixels, FloatArray]]:
    """The film in blocks of `_BLOCK_S` however it was cut, the last one up to twice as long.

    A product of matrices rounds differently for another number of rows, and a film must not be read
    differently because it came in other pieces.
    """
    shown, heard = round(_BLOCK_S * frame_rate_hz), round(_BLOCK_S * SAMPLE_RATE_HZ)
    frames: Pixels | None = None
    waveform = np.zeros(0, np.float32)
    for block in blocks:
        frames = block.frames if frames is None else np.concatenate([frames, block.frames])
        waveform = np.concatenate([waveform, block.waveform])
        while len(frames) >= 2 * shown:
            yield frames[:shown], waveform[:heard]
            frames, waveform = frames[shown:], waveform[heard:]
    if frames is not None and len(frames):
        yield frames, waveform


def _with_context(waveforms: Iterator[FloatArray]) -> Iterator[tuple[FloatArray, int, int]]:
    """Each stretch of sound with a little of its neighbours, and how many frames of it are theirs."""
    left = np.zeros(0, np.float32)
    current: FloatArray | None = None
    for following in waveforms:
        if current is not None:
            right = following[:_CONTEXT]
            yield np.concatenate([left, current, right]), len(left) // HOP_SAMPLES, len(right) // HOP_SAMPLES
            left = current[-_CONTEXT:]
        current = following
    if current is not None and len(current):
        yield np.concatenate([left, current]), len(left) // HOP_SAMPLES, 0


def _cut(sound: SoundSignals, before: int, after: int) -> SoundSignals:
    """Without the frames of the neighbours."""
    return SoundSignals(
        **{f.name: (v := getattr(sound, f.name))[:, before : v.shape[1] - after] for f in fields(sound)}
    )


def _joined(parts: Sequence[Track]) -> Track:
    """Tracks of successive blocks as one."""
    first = parts[0]
    return type(first)(
        **{
            f.name: getattr(first, f.name)
            if f.name in _OF_CLIP
            else np.concatenate([getattr(part, f.name) for part in parts], axis=1)
            for f in fields(first)
        }
    )
