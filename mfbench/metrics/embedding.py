"""Embeddings of short windows of video, of sound, and of both, for distances between sets of clips.

Every group of features is whitened by its own principal components, fitted on the real training split, and
weighted, so that a group neither drowns in another nor is drowned. Textures (how well a drawn face explains
the pixels, how rough spectrum and motion are) are there because readings are robust by design: without them
blur, noise and jitter would leave the embedding where it was. The joint embedding also holds the difference
between the mouth that is seen and the mouth that is heard: a kernel on video and audio side by side hardly
notices pairs that do not belong together (mismatched real pairs: 0.08 against 6.5 with it, sd 0.02 and 0.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.readers.pixels import FaceReading, PixelReader
from mfbench.metrics.readers.speech import MEL_RATE_HZ, SpeechReading

FloatArray = NDArray[np.float32]

WINDOW_S = 0.64
HOP_S = 0.32
FRAME_RATE_HZ = 12.5  # of the features; films at a multiple of it are averaged
MOUTH = slice(0, 4)  # of MOTION_PARAMETERS
HEAD = slice(4, 11)


@dataclass(frozen=True)
class Group:
    """Channels kept of a group of features, and their common weight after whitening."""

    channels: int
    weight: float


VIDEO_GROUPS = {
    "mouth": Group(6, 1.0),
    "head": Group(4, 0.7),
    "looks": Group(4, 0.3),
    "video_texture": Group(4, 0.3),
}
AUDIO_GROUPS = {"spectrum": Group(6, 1.0), "speech": Group(5, 1.0), "audio_texture": Group(2, 0.3)}
AGREEMENT = {"agreement": Group(3, 1.0)}
GROUPS = VIDEO_GROUPS | AUDIO_GROUPS | AGREEMENT
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Windows:
    """Whitened embeddings of the windows of clips.

    Attributes:
        video: [clips, windows, 18].
        audio: [clips, windows, 13].
        agreement: of what is seen and what is heard, [clips, windows, 3].
    """

    video: FloatArray
    audio: FloatArray
    agreement: FloatArray

    @property
    def joint(self) -> FloatArray:
        """Video and audio of the same moment, and how they agree, [clips, windows, 34]."""
        return np.concatenate([self.video, self.audio, self.agreement], -1)


@dataclass(frozen=True)
class Whitening:
    """x => (x - mean) @ basis, of unit variance over the rows it was fitted on."""

    mean: FloatArray
    basis: FloatArray

    @classmethod
    def fit(cls, rows: FloatArray, channels: int) -> Self:
        """Leading principal components of rows [count, values]."""
        values = rows.astype(np.float64)
        mean = values.mean(0)
        covariance = np.cov((values - mean).T)
        variance, directions = np.linalg.eigh(np.atleast_2d(covariance))
        keep = slice(None, -channels - 1, -1)
        basis = directions[:, keep] / np.sqrt(np.maximum(variance[keep], _LEAST_VARIANCE))
        return cls(mean.astype(np.float32), basis.astype(np.float32))

    def __call__(self, values: FloatArray) -> FloatArray:
        """[..., values] => [..., channels]."""
        return np.asarray((values - self.mean) @ self.basis, dtype=np.float32)


@dataclass(frozen=True)
class Embedder:
    """One whitening per group of features."""

    groups: dict[str, Whitening]

    @classmethod
    def fit(cls, features: dict[str, FloatArray]) -> Self:
        """Fit on `window_features` of the real training split."""
        return cls(
            {
                name: Whitening.fit(features[name].reshape(-1, features[name].shape[-1]), group.channels)
                for name, group in GROUPS.items()
            }
        )

    def embed(self, features: dict[str, FloatArray]) -> Windows:
        """Features of windows => embeddings."""

        def coded(groups: dict[str, Group]) -> FloatArray:
            parts = [
                self.groups[name](features[name]) * np.float32(group.weight) for name, group in groups.items()
            ]
            return np.concatenate(parts, -1)

        return Windows(video=coded(VIDEO_GROUPS), audio=coded(AUDIO_GROUPS), agreement=coded(AGREEMENT))

    def state(self) -> dict[str, FloatArray]:
        """Everything that `fit` found."""
        arrays = {f"{name}.mean": whitening.mean for name, whitening in self.groups.items()}
        return arrays | {f"{name}.basis": whitening.basis for name, whitening in self.groups.items()}

    @classmethod
    def from_state(cls, state: dict[str, FloatArray]) -> Self:
        """Rebuild from `state`."""
        return cls({name: Whitening(state[f"{name}.mean"], state[f"{name}.basis"]) for name in GROUPS})


def window_features(
    face: FaceReading, speech: SpeechReading, mel: FloatArray, pixel_reader: PixelReader, frame_rate_hz: float
) -> dict[str, FloatArray]:
    """Raw features of windows of 0.64 s every 0.32 s, per group [clips, windows, values]."""
    face = _slower(face, frame_rate_hz)
    frames, hop = round(WINDOW_S * FRAME_RATE_HZ), round(HOP_S * FRAME_RATE_HZ)
    mel_frames, mel_hop = round(WINDOW_S * MEL_RATE_HZ), round(HOP_S * MEL_RATE_HZ)
    looks = face.looks - pixel_reader.looks_means[face.identity][:, None]
    motion = _pieces(face.motion, frames, hop)
    count = motion.shape[1]
    spectrum = _pieces(mel, mel_frames, mel_hop)[:, :count]
    difference = face.motion[..., :2] - heard_at_frames(speech.mouth, FRAME_RATE_HZ, face.motion.shape[1])
    return {
        "mouth": _flat(motion[..., MOUTH]),
        "head": _flat(motion[..., HEAD]),
        "looks": _pieces(looks, frames, hop).mean(2),
        "video_texture": _video_texture(face, motion, frames, hop),
        "spectrum": _flat(spectrum),
        "speech": _flat(_pieces(speech.mouth, mel_frames, mel_hop)[:, :count]),
        "audio_texture": np.stack([_roughness(spectrum, 2), _roughness(spectrum, 3)], -1),
        "agreement": _flat(_pieces(difference, frames, hop)),
    }


def _slower(face: FaceReading, frame_rate_hz: float) -> FaceReading:
    """Tracks averaged down to `FRAME_RATE_HZ`; a reading is linear, so the mean is that of the moment."""
    factor = round(frame_rate_hz / FRAME_RATE_HZ)
    if factor < 1 or abs(frame_rate_hz / FRAME_RATE_HZ - factor) > 1e-6:
        raise ValueError(f"films of {frame_rate_hz} frames/s; wanted is a multiple of {FRAME_RATE_HZ}")
    if factor == 1:
        return face
    count = face.motion.shape[1] // factor

    def mean(track: FloatArray) -> FloatArray:
        cut = track[:, : count * factor]
        return np.asarray(cut.reshape(len(cut), count, factor, *cut.shape[2:]).mean(2), dtype=np.float32)

    return replace(face, motion=mean(face.motion), looks=mean(face.looks), sharpness=mean(face.sharpness))


def heard_at_frames(mouth: FloatArray, frame_rate_hz: float, frames: int) -> FloatArray:
    """Opening and width heard [clips, mel_frames, 4] at the times of video frames, [clips, frames, 2]."""
    ratio = MEL_RATE_HZ / frame_rate_hz
    position = np.arange(frames) * ratio + (ratio - 1) / 2
    left = np.clip(position.astype(np.int64), 0, mouth.shape[1] - 2)
    part = (position - left).astype(np.float32)[None, :, None]
    return np.asarray(mouth[:, left, :2] * (1 - part) + mouth[:, left + 1, :2] * part)


def _pieces(tracks: FloatArray, length: int, hop: int) -> FloatArray:
    """[clips, time, n] => [clips, windows, length, n]."""
    if tracks.shape[1] < length:
        raise ValueError(
            f"clips of {tracks.shape[1]} frames are shorter than a window of {length}; "
            f"give at least {WINDOW_S} s"
        )
    starts = np.arange(0, tracks.shape[1] - length + 1, hop)
    return np.asarray(tracks[:, starts[:, None] + np.arange(length)])


def _flat(pieces: FloatArray) -> FloatArray:
    return pieces.reshape(*pieces.shape[:2], -1)


def _video_texture(face: FaceReading, motion: FloatArray, frames: int, hop: int) -> FloatArray:
    """Residual, sharpness, and how rough mouth and head motion are, [clips, windows, 4]."""
    every = -(-face.motion.shape[1] // face.residual.shape[1])
    residual = np.repeat(np.log(face.residual + 1), every, axis=1)[:, : face.motion.shape[1]]
    fidelity = np.stack([residual, face.sharpness], -1)
    rough = np.stack([_roughness(motion[..., part], 2) for part in (MOUTH, HEAD)], -1)
    return np.concatenate([_pieces(fidelity, frames, hop).mean(2), rough], -1)


def _roughness(pieces: FloatArray, axis: int) -> FloatArray:
    """Log mean absolute second difference along an axis of [clips, windows, time, n], per window."""
    return np.asarray(np.log(np.abs(np.diff(pieces, 2, axis=axis)).mean((2, 3)) + np.float32(1e-3)))
