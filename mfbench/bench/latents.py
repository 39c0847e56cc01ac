"""Codecs of a world by preset, and clips as latents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from mfbench.bench.clips import Clips
from mfbench.bench.stage import Parent
from mfbench.clip_spec import ClipSpec
from mfbench.codecs.base import AudioCodec, FloatArray, VideoCodec
from mfbench.codecs.linear_mel import LinearMelCodec
from mfbench.codecs.motion import MotionCodec
from mfbench.training.batches import LatentSet
from mfbench.types import AV

MEL_WHITENING = 0.5  # between equal weight per channel (1) and per decibel (0)


@dataclass(frozen=True)
class Codecs:
    """The two codecs of a world."""

    spec: ClipSpec
    video: VideoCodec
    audio: AudioCodec

    def encode(self, clips: Clips) -> LatentSet:
        """Clips => latents with what their conditions need."""
        face, voice = clips.face, torch.from_numpy(clips.voice_descriptor)
        video = self.video.encode(face)
        first = video[..., 0, : self.reference_channels]
        return LatentSet(AV(video, self.audio.encode(clips.mel)), first, voice, torch.from_numpy(clips.words))

    def decode(self, latents: AV) -> tuple[FloatArray, FloatArray]:
        """Latents => (face parameters, log-mel)."""
        assert latents.video is not None
        assert latents.audio is not None
        return self.video.decode(latents.video), self.audio.decode(latents.audio)

    @property
    def reference_channels(self) -> int:
        """Channels of the first frame inside the first token of a chunk."""
        return self.spec.video_channels // self.spec.frames_per_video_token

    def save(self, path: Path) -> None:
        """Write both states as safetensors."""
        named = {f"video.{k}": v for k, v in self.video.state().items()}
        named |= {f"audio.{k}": v for k, v in self.audio.state().items()}
        save_file(named, path)


def make(preset: str, spec: ClipSpec) -> Codecs:
    """Unfitted codecs of a preset."""
    if preset != "motion":
        raise ValueError(f"the bench has codecs for the preset 'motion' only, got {preset!r}")
    return Codecs(spec, MotionCodec(spec), LinearMelCodec(spec, whitening=MEL_WHITENING))


def load(path: Path, preset: str, spec: ClipSpec) -> Codecs:
    """Codecs with the states that `Codecs.save` wrote."""
    named, codecs = load_file(path), make(preset, spec)
    parts = {
        side: {k.removeprefix(f"{side}."): v for k, v in named.items() if k.startswith(f"{side}.")}
        for side in ("video", "audio")
    }
    return Codecs(spec, codecs.video.load(parts["video"]), codecs.audio.load(parts["audio"]))


def training_latents(codec: Parent) -> LatentSet:
    """The training split of a finished codec stage."""
    named = load_file(codec.folder / "train.safetensors")
    av = AV(named["video"], named["audio"])
    return LatentSet(av, named["frame_reference"], named["voice"], named["words"])


def fitted(codec: Parent) -> Codecs:
    """The codecs of a finished codec stage."""
    values = codec.result.values
    spec = ClipSpec.from_json(values["spec"])
    return load(codec.folder / "codec.safetensors", values["preset"], spec)
