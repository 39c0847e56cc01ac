"""DINOv2 through transformers: does the picture keep looking like the reference image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

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
from mfbench.metrics.full.face_crop import centre_squares
from mfbench.metrics.full.folders import from_folder
from mfbench.metrics.full.packages import require

SCALED_PX, SIZE_PX = 256, 224  # scaled to, then cut out of the middle
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_BATCH = 16


class DINOv2(Adapter):
    """Mean cosine of the frames' class features to that of the reference image, or of the first frame."""

    name = "dinov2"
    protocol = "2 fps, centre square at 256 px, middle 224 px, ImageNet mean and deviation, class token"
    metrics = (MetricInfo("id_dino", "cos", True, (-1.0, 1.0), 50),)
    weight_files = (
        WeightFile(
            key="dinov2",
            file="folder with config.json and model.safetensors",
            what="DINOv2 (dinov2-base is usual; DINOv3 loads too), folder in the format of transformers",
            code_licence="Apache-2.0",
            weights_licence="Apache-2.0 (DINOv2); DINOv3 has a licence of its own",
            how="the README of the project dinov2 by Meta names it; save the whole model as a folder",
        ),
    )
    packages = ("transformers",)
    needs = Needs(
        frames=True,
        fps=2.0,
        size_px=SCALED_PX,
        fit="centre-square",
        sample_rate_hz=None,
        min_duration_s=0.0,
        side=("reference_image",),
    )

    def __init__(self, network: Any, *, device: str = "cpu") -> None:
        self._network = network
        self._device = device

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From a folder of transformers."""
        del options
        transformers = require("transformers", cls.name)
        network = from_folder(transformers.AutoModel, weights["dinov2"])
        return cls(network.to(device).eval(), device=device)

    def read(self, media: ClipMedia) -> ClipReading:
        """`id_dino`; where the first frame is the reference, it is not compared with itself."""
        if media.frames.shape[1:3] != (SCALED_PX, SCALED_PX):
            raise ValueError(
                f"frames of shape {media.frames.shape}; wanted [frames, {SCALED_PX}, {SCALED_PX}, 3]"
            )
        frames = self.embed(media.frames)
        if media.reference_image is not None:
            reference = self.embed(centre_squares(media.reference_image[None], SCALED_PX))[0]
            return ClipReading({"id_dino": float((frames @ reference).mean())})
        if len(frames) < 2:
            return ClipReading(not_applicable={"id_dino": "one frame and no reference image"})
        note = "no reference image: compared with the first frame"
        return ClipReading({"id_dino": float((frames[1:] @ frames[0]).mean())}, notes=(note,))

    def embed(self, frames: ByteArray) -> FloatArray:
        """Class features as unit vectors, [frames, dim], of frames [frames, 256, 256, 3]."""
        import torch

        margin = (SCALED_PX - SIZE_PX) // 2
        inner = frames[:, margin : margin + SIZE_PX, margin : margin + SIZE_PX]
        found = []
        with torch.inference_mode():
            for start in range(0, len(inner), _BATCH):
                values = (inner[start : start + _BATCH] / np.float32(255) - _MEAN) / _DEVIATION
                pictures = torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))
                output = self._network(pixel_values=pictures.to(self._device))
                found.append(output.last_hidden_state[:, 0].float().cpu().numpy())
        features = np.concatenate(found)
        return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))
