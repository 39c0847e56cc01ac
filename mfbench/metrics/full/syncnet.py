"""SyncNet: the field's judge of lip sync, `lse_c` and `lse_d`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from mfbench.metrics.full import sync_distance
from mfbench.metrics.full.base import (
    NO_OPTIONS,
    Adapter,
    ByteArray,
    ClipMedia,
    ClipReading,
    FloatArray,
    MetricInfo,
    Needs,
    WeightFile,
)
from mfbench.metrics.full.face_crop import centre_squares, longest_track, mouth_crops
from mfbench.metrics.full.mfcc import mfcc, to_int16_scale

if TYPE_CHECKING:
    from torch import Tensor

FPS = 25.0
SAMPLE_RATE_HZ = 16_000
SIZE_PX = 224
_FRAME_SAMPLES = 640
_BATCH = 16


class SyncNetworks(Protocol):
    """What the adapter asks of a network."""

    def sound(self, cepstra: Tensor) -> Tensor:
        """[n, 1, 13, 20] => [n, dim]."""

    def lips(self, video: Tensor) -> Tensor:
        """[3, frames, 224, 224] => [frames - 4, dim]."""


@dataclass(frozen=True, eq=False)
class _Cut:
    """What the network is shown of a clip."""

    frames: ByteArray
    waveform: FloatArray
    notes: tuple[str, ...]


class SyncNet(Adapter):
    """Confidence, distance and offset of SyncNet, as published and in forms that compare across lengths."""

    name = "syncnet"
    protocol = (
        "25 fps, 16 kHz, BGR 0-255 at 224 px, 31 shifts, zero padding; given boxes: 1.4x crop of the longest "
        "track, else centre square; *_5s: mean over whole 5 s windows; offset positive: sound leads"
    )
    metrics = (
        MetricInfo("lse_c", "", True, (0.0, None), 50),
        MetricInfo("lse_d", "", False, (0.0, None), 50),
        MetricInfo("lse_d0", "", False, (0.0, None), 50),
        MetricInfo("lse_c_valid", "", True, (0.0, None), 50),
        MetricInfo("lse_c_5s", "", True, (0.0, None), 50),
        MetricInfo("lse_d_5s", "", False, (0.0, None), 50),
        MetricInfo("av_offset_syncnet_ms", "ms", None, (-600.0, 600.0), 50),
        MetricInfo("lse_c_null", "", None, (0.0, None), 50, set_metric=True),
    )
    weight_files = (
        WeightFile(
            key="syncnet",
            file="syncnet_v2.model",
            what="SyncNet v2, torch state dict",
            code_licence="MIT",
            weights_licence="not stated apart from the code's",
            how="the script download_model.sh of the project syncnet_python by J. S. Chung names it",
        ),
    )
    needs = Needs(
        frames=True,
        fps=FPS,
        size_px=None,
        fit="whole",
        sample_rate_hz=SAMPLE_RATE_HZ,
        min_duration_s=4.0,  # the published pipeline drops shorter tracks
        side=("faces",),
    )

    def __init__(self, network: SyncNetworks, *, device: str = "cpu") -> None:
        self._network = network
        self._device = device

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From `syncnet_v2.model`; files older than batch counters in BatchNorm load too."""
        from mfbench.metrics.full.loading import fill, load_state
        from mfbench.metrics.full.syncnet_net import SyncNetwork

        del options
        network = SyncNetwork()
        fill(network, load_state(weights["syncnet"]), weights["syncnet"], optional=("num_batches_tracked",))
        return cls(network.to(device).eval(), device=device)

    def read(self, media: ClipMedia) -> ClipReading:
        """All metrics of one clip; the set metric's rows are video and audio embeddings side by side."""
        cut = _cut(media)
        if isinstance(cut, str):
            return ClipReading(not_applicable=dict.fromkeys(self.names(), cut))
        video, audio = self.embeddings(cut.frames, cut.waveform)
        found = sync_distance.distances(video, audio)
        whole = sync_distance.curve(found)
        values = {
            "lse_c": whole.lse_c,
            "lse_d": whole.lse_d,
            "lse_d0": whole.at_zero,
            "av_offset_syncnet_ms": whole.offset_ms,
        }
        missing = {}
        if (valid := sync_distance.valid_curve(found)) is not None:
            values["lse_c_valid"] = valid.lse_c
        else:
            missing["lse_c_valid"] = (
                f"{len(found)} windows, none has all 31 shifts inside; wanted at least 31"
            )
        if windows := sync_distance.window_curves(video, audio):
            values["lse_c_5s"] = float(np.mean([window.lse_c for window in windows]))
            values["lse_d_5s"] = float(np.mean([window.lse_d for window in windows]))
        else:
            missing |= dict.fromkeys(("lse_c_5s", "lse_d_5s"), f"{len(cut.frames)} frames are less than 5 s")
        rows = np.concatenate([video, audio], axis=1)
        return ClipReading(values, {"lse_c_null": rows}, not_applicable=missing, notes=cut.notes)

    def value(self, metric: str, candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
        """`lse_c_null`: confidence of wrong pairs among the candidate clips; the reference plays no part."""
        if metric == "lse_c_null":
            return sync_distance.null_confidence(candidate)
        return super().value(metric, candidate, reference)

    def embeddings(self, crops: ByteArray, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Video and audio embeddings of every 40 ms, [rows, dim] each.

        Args:
            crops: RGB at 25 fps, [frames, 224, 224, 3].
            waveform: at 16 kHz, [samples].
        """
        import torch

        rows = min(len(crops), len(waveform) // _FRAME_SAMPLES) - sync_distance.CUT_FRAMES
        cepstra = mfcc(to_int16_scale(waveform)).astype(np.float32)
        bgr = np.ascontiguousarray(crops[..., ::-1].transpose(3, 0, 1, 2))
        video, audio = [], []
        with torch.inference_mode():
            for start in range(0, rows, _BATCH):
                stop = min(rows, start + _BATCH)
                pictures = torch.from_numpy(bgr[:, start : stop + 4]).to(self._device).float()
                sounds = np.stack([cepstra[4 * i : 4 * i + 20].T for i in range(start, stop)])[:, None]
                video.append(self._network.lips(pictures).cpu().numpy())
                audio.append(self._network.sound(torch.from_numpy(sounds).to(self._device)).cpu().numpy())
        return np.concatenate(video), np.concatenate(audio)


def _cut(media: ClipMedia) -> _Cut | str:
    """The mouth and the sound that belongs to it, or the reason why there is none."""
    if media.faces is not None and len(media.faces) != len(media.frames):
        raise ValueError(f"{len(media.faces)} face boxes for {len(media.frames)} frames; wanted one each")
    if media.waveform is None:
        return "the clip has no sound"
    if media.faces is None:
        crops, waveform = centre_squares(media.frames, SIZE_PX), media.waveform
        notes: tuple[str, ...] = ("no crop: no face boxes were given, the centre square counts as the face",)
    else:
        track = longest_track(media.faces)
        if track is None:
            return "no face was found in any frame"
        crops = mouth_crops(media.frames[track.start : track.stop], track.boxes, SIZE_PX)
        waveform = media.waveform[_FRAME_SAMPLES * track.start : _FRAME_SAMPLES * track.stop]
        whole = track.stop - track.start == len(media.frames)
        seen = f"a face was seen in frames {track.start} to {track.stop - 1} of {len(media.frames)} only"
        notes = () if whole else (seen,)
    frames = min(len(crops), len(waveform) // _FRAME_SAMPLES)
    if frames <= sync_distance.CUT_FRAMES:
        return f"{frames} frames of picture and sound; wanted at least {sync_distance.CUT_FRAMES + 1}"
    return _Cut(crops, waveform, notes)
