"""CLIP through open_clip: does the picture show what the caption says, and does it stay the same picture."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

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
from mfbench.metrics.full.packages import require
from mfbench.metrics.full.weights import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_MODEL = "ViT-B-32"
_FPS = 2.0
_BATCH = 16
_ARCHIVE_ONLY = ("input_resolution", "context_length", "vocab_size")  # no parameters, in OpenAI's archives


class Clip(Adapter):
    """Cosines between frames, and between frames and the caption."""

    name = "clip"
    protocol = "2 fps, centre square, the model's own mean and deviation; not times 100, not clipped at 0"
    metrics = (
        MetricInfo("clip_sim", "cos", True, (-1.0, 1.0), 50),
        MetricInfo("clip_frame_consistency", "cos", True, (-1.0, 1.0), 50),
    )
    weight_files = (
        WeightFile(
            key="clip",
            file="open_clip_pytorch_model.bin, .safetensors or OpenAI's ViT-B-32.pt",
            what="CLIP, checkpoint of open_clip or TorchScript archive of OpenAI",
            code_licence="MIT (open_clip)",
            weights_licence="MIT (OpenAI and LAION's ViT-B-32); others differ",
            how="the README of the project open_clip lists pretrained models; `model:` is their name there, "
            "such as ViT-B-32 (the default)",
            options=("model",),
        ),
    )
    packages = ("open_clip",)
    needs = Needs(
        frames=True,
        fps=_FPS,
        size_px=224,
        fit="centre-square",
        sample_rate_hz=None,
        min_duration_s=0.0,
        side=("caption",),
    )

    def __init__(self, network: Any, tokenizer: Any, *, size_px: int, device: str = "cpu") -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._device = device
        self.needs = Needs(True, _FPS, size_px, "centre-square", None, 0.0, ("caption",))

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From a checkpoint of the model that `options["model"]` names.

        Raises:
            WeightsError: if open_clip has no such model, or it needs files from a hub.
        """
        from mfbench.metrics.full.loading import fill, is_script

        open_clip = require("open_clip", cls.name)
        model, path = options.get("model", DEFAULT_MODEL), weights["clip"]
        _check_model(open_clip, model)
        with _without_warnings():
            network = open_clip.create_model(
                model, load_weights=False, pretrained_text=False, force_quick_gelu=is_script(path)
            )
        fill(network, _state(path), path)
        size = network.visual.image_size
        size_px = int(size[0] if isinstance(size, tuple | list) else size)
        tokenizer = open_clip.get_tokenizer(model)
        return cls(network.to(device).eval(), tokenizer, size_px=size_px, device=device)

    def read(self, media: ClipMedia) -> ClipReading:
        """Mean cosine with the caption, and of neighbouring frames."""
        pictures = self.embed_frames(media.frames)
        values, missing = {}, {}
        if media.caption and media.caption.strip():
            values["clip_sim"] = float((pictures @ self.embed_text(media.caption)).mean())
        else:
            missing["clip_sim"] = "the clip has no caption"
        if len(pictures) > 1:
            values["clip_frame_consistency"] = float((pictures[1:] * pictures[:-1]).sum(1).mean())
        else:
            missing["clip_frame_consistency"] = "one frame has no neighbour"
        return ClipReading(values, not_applicable=missing)

    def embed_frames(self, frames: ByteArray) -> FloatArray:
        """Unit vectors of frames, [frames, dim].

        Raises:
            ValueError: if there are none, or they have another size than the model.
        """
        import torch

        side = self.needs.size_px
        if len(frames) == 0 or frames.shape[1:3] != (side, side):
            raise ValueError(f"frames of shape {frames.shape}; this model wants [frames, {side}, {side}, 3]")
        visual = self._network.visual
        mean = np.array(visual.image_mean, np.float32)
        deviation = np.array(visual.image_std, np.float32)
        found = []
        with torch.inference_mode():
            for start in range(0, len(frames), _BATCH):
                values = (frames[start : start + _BATCH] / np.float32(255) - mean) / deviation
                pictures = torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))
                found.append(
                    self._network.encode_image(pictures.to(self._device), normalize=True).cpu().numpy()
                )
        return np.concatenate(found)

    def embed_text(self, text: str) -> FloatArray:
        """Unit vector of a text, [dim]; what exceeds the model's length is cut off."""
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer([text]).to(self._device)
            found = self._network.encode_text(tokens, normalize=True)[0].cpu().numpy()
        return np.asarray(found)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """open_clip warns on the root logger that the weights are random; they are filled in right after."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _check_model(open_clip: ModuleType, model: str) -> None:
    """Only models whose description comes with open_clip: a name with a scheme would ask a hub."""
    known = open_clip.list_models()
    if model not in known:
        near = difflib.get_close_matches(model, known, n=4, cutoff=0.4) or known[:4]
        raise WeightsError(f"clip: open_clip knows no model {model!r}; did you mean {', '.join(near)}?")
    text = open_clip.get_model_config(model)["text_cfg"]
    if "hf_model_name" in text or "hf_tokenizer_name" in text or "siglip" in model.lower():
        raise WeightsError(f"clip: {model} takes its tokenizer from a hub; choose a model with CLIP's own")


def _state(path: Path) -> dict[str, Tensor]:
    """Parameters under open_clip's names, out of any of the forms in which they are published."""
    from mfbench.metrics.full.loading import is_script, load_script, load_state

    if is_script(path):
        archive = load_script(path, "cpu").state_dict()
        return {name: value for name, value in archive.items() if name not in _ARCHIVE_ONLY}
    state = load_state(path, inner="state_dict")
    return {name.removeprefix("module."): value for name, value in state.items()}
