"""I3D: the Frechet video distance of the field, `fvd`, and its kernel sibling, `kvd`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from mfbench.metrics.full import sets
from mfbench.metrics.full.base import (
    NO_OPTIONS,
    Adapter,
    ClipMedia,
    ClipReading,
    FloatArray,
    MetricInfo,
    Needs,
    WeightFile,
)

if TYPE_CHECKING:
    from torch.jit import ScriptModule

FRAMES, SIZE_PX = 16, 224


class I3D(Adapter):
    """Distances between sets of videos by the logits of I3D, one row of 400 values per clip."""

    name = "i3d"
    protocol = (
        "16 successive frames from the middle of the clip at its own rate, 224 px, [-1, 1], rescale and "
        "resize off, Kinetics-400 logits; unbiased covariance; _inf: 15 sizes from N/4 to N, least squares; "
        "kvd: (x.y/400 + 1)^3 over all rows"
    )
    metrics = (
        MetricInfo("fvd", "", False, (0.0, None), 256, set_metric=True),
        MetricInfo("fvd_inf", "", False, (None, None), 256, set_metric=True),
        MetricInfo("kvd", "", False, (None, None), 256, set_metric=True),
    )
    weight_files = (
        WeightFile(
            key="i3d",
            file="i3d_torchscript.pt",
            what="I3D trained on Kinetics-400, TorchScript",
            code_licence="Apache-2.0 (kinetics-i3d)",
            weights_licence="Apache-2.0 (kinetics-i3d); the conversion is linked by StyleGAN-V, which calls "
            "itself likely restricted by NVIDIA's licence",
            how="the README of the project stylegan-v names the file under its video metrics",
        ),
    )
    needs = Needs(
        frames=True,
        fps=None,
        size_px=SIZE_PX,
        fit="centre-square",
        sample_rate_hz=None,
        min_duration_s=0.0,  # 16 frames, whatever the rate
    )

    def __init__(self, network: ScriptModule, *, device: str = "cpu") -> None:
        self._network = network
        self._device = device

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From the TorchScript file."""
        from mfbench.metrics.full.loading import load_script

        del options
        return cls(load_script(weights["i3d"], device), device=device)

    def read(self, media: ClipMedia) -> ClipReading:
        """One row of features, the same for all three metrics."""
        import torch

        count, height, width = media.frames.shape[:3]
        if (height, width) != (SIZE_PX, SIZE_PX):
            raise ValueError(f"frames of {width} x {height} px; i3d wants {SIZE_PX} x {SIZE_PX}")
        if count < FRAMES:
            reason = f"{count} frames; wanted at least {FRAMES}"
            return ClipReading(not_applicable=dict.fromkeys(self.names(), reason))
        first = (count - FRAMES) // 2
        video = media.frames[first : first + FRAMES].transpose(3, 0, 1, 2)[None] / np.float32(127.5) - 1
        with torch.inference_mode():
            pictures = torch.from_numpy(np.ascontiguousarray(video, dtype=np.float32)).to(self._device)
            found = self._network(pictures, rescale=False, resize=False, return_features=True)
        row = found.float().cpu().numpy()
        if row.ndim != 2 or len(row) != 1:
            raise ValueError(f"the network returned shape {row.shape} for one clip; wanted [1, dim]")
        return ClipReading(features=dict.fromkeys(self.names(), row))

    def value(self, metric: str, candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
        """`fvd`, its extrapolation to endless sets, or the kernel distance."""
        if metric == "fvd":
            return sets.frechet(candidate, reference)
        if metric == "fvd_inf":
            return sets.extrapolate(candidate, reference).intercept
        if metric == "kvd":
            return sets.polynomial_mmd(candidate, reference)
        return super().value(metric, candidate, reference)
