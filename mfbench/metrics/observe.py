"""Everything that metrics need to know about clips, read from them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mfbench.character.timeline import Timeline
from mfbench.mel import LOG_FLOOR
from mfbench.metrics.embedding import Embedder, Windows, window_features
from mfbench.metrics.judges.panel import Judged, JudgePanel
from mfbench.metrics.level import centroid_hz, level_db, noisy
from mfbench.metrics.pair_signals import PairSignals
from mfbench.metrics.picture_signals import PictureSignals, picture_signals
from mfbench.metrics.readers.images import Pixels
from mfbench.metrics.readers.pixels import FaceReading, PixelReader
from mfbench.metrics.readers.speech import SpeechReader, SpeechReading
from mfbench.metrics.readers.voice import VoiceReader, VoiceReading
from mfbench.metrics.sound_signals import SoundSignals, sound_signals

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Part = TypeVar("Part")

_BATCH = 32  # clips read at a time, so that long rollouts stay in memory
_PARTS = ("pixels", "speech", "listener", "voice", "embedder", "judges")


@dataclass(frozen=True)
class Readers:
    """The judges of a world and the embedding that goes with them.

    Attributes:
        speech: understands phones and words.
        listener: hears the mouth; it learned with hiss as well, which sync must not mind and a reader of
            phones would pay for in clean sound.
        voice: knows who speaks.
    """

    pixels: PixelReader
    speech: SpeechReader
    listener: SpeechReader
    voice: VoiceReader
    embedder: Embedder
    judges: JudgePanel
    frame_rate_hz: float

    @classmethod
    def fit(
        cls,
        face: FloatArray,
        frames: Pixels,
        mel: FloatArray,
        timelines: Sequence[Timeline],
        voice: IntArray,
        frame_rate_hz: float,
        rng: np.random.Generator,
    ) -> Self:
        """Fit everything on real training clips; about 160 clips of 5.12 s are enough.

        Args:
            face: `character.face.FACE_PARAMETERS`, [clips, frames, 34].
            frames: the same drawn, uint8[clips, frames, size, size, 3].
            mel: log-mel, [clips, mel_frames, bands].
            timelines: what is said, per clip.
            voice: who says it, index into VOICES, [clips].
            frame_rate_hz: video frames per second.
            rng: for the calibration draws.
        """
        pixels = PixelReader.fit(face, rng)
        mouth = face[..., :4]
        speech = SpeechReader.fit(mel, timelines, mouth, frame_rate_hz)
        listener = SpeechReader.fit(
            np.concatenate([mel, noisy(mel)]),
            (*timelines, *timelines),
            np.concatenate([mouth, mouth]),
            frame_rate_hz,
        )
        reading, heard = pixels.read(frames, frame_rate_hz), listener.with_mouth_of(speech.read(mel), mel)
        features = window_features(reading, heard, mel, pixels, frame_rate_hz)
        judges = JudgePanel.fit(reading.mouth_image, mel, frame_rate_hz)
        voices = VoiceReader.fit(mel, voice, timelines)
        return cls(pixels, speech, listener, voices, Embedder.fit(features), judges, frame_rate_hz)

    def hear(self, mel: FloatArray) -> SpeechReading:
        """What log-mel [clips, mel_frames, bands] says, and the mouth that would say it."""
        return self.listener.with_mouth_of(self.speech.read(mel), mel)

    def save(self, path: Path) -> None:
        """Write one npz of plain arrays."""
        parts = {name: getattr(self, name).state() for name in _PARTS}
        arrays = {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}
        np.savez(path, frame_rate_hz=np.float64(self.frame_rate_hz), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}

        def part(prefix: str) -> dict[str, FloatArray]:
            start = f"{prefix}/"
            return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}

        return cls(
            PixelReader(**part("pixels")),
            SpeechReader(**part("speech")),
            SpeechReader(**part("listener")),
            VoiceReader(**part("voice")),
            Embedder.from_state(part("embedder")),
            JudgePanel.from_state(part("judges")),
            float(arrays["frame_rate_hz"]),
        )


@dataclass(frozen=True, eq=False)
class Observation:
    """What was read from clips; clip i of every array is the same clip.

    Attributes:
        frame_rate_hz: video frames per second.
        face: read from pixels.
        speech, voice: read from log-mel.
        level_db: loudness of every mel frame in dB of full scale, [clips, mel_frames].
        centroid_hz: centre of the spectrum of every mel frame, nan in silence, [clips, mel_frames].
        windows: embeddings.
        judged: what the learned judges of sync make of it.
        picture: plain measurements of the pixels.
        sound: plain measurements of the waveform; None where only a mel is there.
        intact: False where a clip could not be generated or read (not finite), [clips].
        chunk_s: length of the chunks that the clips were generated in, where that is known.
        paired: how far the clips are from the true ones that they reconstruct, where there are such.
    """

    frame_rate_hz: float
    face: FaceReading
    speech: SpeechReading
    voice: VoiceReading
    level_db: FloatArray
    centroid_hz: FloatArray
    windows: Windows
    judged: Judged
    picture: PictureSignals
    sound: SoundSignals | None
    intact: NDArray[np.bool_]
    chunk_s: float | None = None
    paired: PairSignals | None = None

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.intact)

    @property
    def duration_s(self) -> float:
        """Length of every clip in seconds."""
        return float(self.face.motion.shape[1] / self.frame_rate_hz)

    def select(self, clips: IntArray) -> Observation:
        """Only these clips, in this order."""
        return _take(self, np.asarray(clips, dtype=np.int64))

    def with_sound_of(self, clips: IntArray, mel: FloatArray, readers: Readers) -> Observation:
        """The same video with the sound of other clips of this observation: mismatched pairs.

        `mel` is the log-mel that this observation was read from.
        """
        speech = _take(self.speech, clips)
        features = window_features(self.face, speech, mel[clips], readers.pixels, self.frame_rate_hz)
        return replace(
            self,
            speech=speech,
            voice=_take(self.voice, clips),
            level_db=self.level_db[clips],
            centroid_hz=self.centroid_hz[clips],
            sound=None if self.sound is None else _take(self.sound, clips),
            windows=readers.embedder.embed(features),
            judged=self.judged.with_sound_of(clips),
            intact=self.intact & self.intact[clips],
        )

    def hearing(self, mel: FloatArray, readers: Readers, waveform: FloatArray | None = None) -> Observation:
        """The same video with other sound: log-mel [clips, mel_frames, bands] as `observe` takes it."""
        speech = readers.hear(mel)
        features = window_features(self.face, speech, mel, readers.pixels, self.frame_rate_hz)
        return replace(
            self,
            speech=speech,
            voice=readers.voice.read(mel),
            level_db=level_db(mel),
            centroid_hz=centroid_hz(mel),
            windows=readers.embedder.embed(features),
            judged=readers.judges.judge(self.face.mouth_image, mel, self.frame_rate_hz),
            sound=None if waveform is None else sound_signals(waveform),
        )


def observe(
    frames: Pixels, mel: FloatArray, readers: Readers, waveform: FloatArray | None = None
) -> Observation:
    """Read clips.

    Args:
        frames: uint8[clips, frames, size, size, 3].
        mel: natural-log mel, [clips, mel_frames, bands], as `mel.log_mel` gives it.
        readers: fitted judges.
        waveform: [clips, samples] at 16 kHz where there is one, for the plain measurements of sound.

    A clip whose mel is not finite is replaced by silence and marked as not intact.
    """
    if len(frames) != len(mel) or len(frames) == 0:
        raise ValueError(f"observe got {len(frames)} videos and {len(mel)} sounds; give one of each per clip")
    intact = np.asarray(np.isfinite(mel).all((1, 2)))
    clean = np.where(intact[:, None, None], mel, np.float32(LOG_FLOOR)).astype(np.float32)
    clean = np.maximum(clean, np.float32(LOG_FLOOR))
    parts = [
        _observe(frames[start : start + _BATCH], clean[start : start + _BATCH], readers)
        for start in range(0, len(frames), _BATCH)
    ]
    sound = None if waveform is None else sound_signals(waveform)
    return replace(concatenate(parts), intact=intact, sound=sound)


def concatenate(parts: Sequence[Observation]) -> Observation:
    """Clips of several observations, one after another."""
    return _join(list(parts))


def _observe(frames: Pixels, mel: FloatArray, readers: Readers) -> Observation:
    face = readers.pixels.read(frames, readers.frame_rate_hz)
    speech = readers.hear(mel)
    features = window_features(face, speech, mel, readers.pixels, readers.frame_rate_hz)
    return Observation(
        frame_rate_hz=readers.frame_rate_hz,
        face=face,
        speech=speech,
        voice=readers.voice.read(mel),
        level_db=level_db(mel),
        centroid_hz=centroid_hz(mel),
        windows=readers.embedder.embed(features),
        judged=readers.judges.judge(face.mouth_image, mel, readers.frame_rate_hz),
        picture=picture_signals(frames),
        sound=None,
        intact=np.ones(len(mel), dtype=np.bool_),
    )


def _take(record: Part, clips: IntArray) -> Part:
    """The same clips of everything in a (nested) record of per-clip arrays and tuples."""

    def pick(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value[clips]
        if isinstance(value, tuple):
            return tuple(value[i] for i in clips)
        return _take(value, clips) if is_dataclass(value) else value

    return replace(record, **{f.name: pick(getattr(record, f.name)) for f in fields(record)})  # type: ignore[type-var,arg-type]


def _join(records: list[Part]) -> Part:
    """Concatenate (nested) records of per-clip arrays and tuples."""

    def join(values: list[Any]) -> Any:
        if isinstance(values[0], np.ndarray):
            return np.concatenate(values)
        if isinstance(values[0], tuple):
            return tuple(item for value in values for item in value)
        return _join(values) if is_dataclass(values[0]) else values[0]

    first = records[0]
    return replace(first, **{f.name: join([getattr(r, f.name) for r in records]) for f in fields(first)})  # type: ignore[type-var,arg-type]
