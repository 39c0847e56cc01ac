"""ArcFace through onnxruntime: is it still the same face."""

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
from mfbench.metrics.full.face_crop import centre_squares, face_square
from mfbench.metrics.full.packages import require
from mfbench.metrics.full.weights import WeightsError

SIZE_PX = 112


class ArcFace(Adapter):
    """Cosine of every face to the reference face, and how often there is a face at all."""

    name = "arcface"
    protocol = (
        "5 fps, squares around given boxes at 112 px, no alignment by landmarks, RGB, (x - 127.5) / 127.5; "
        "reference: its box, else its centre square, else the first face"
    )
    metrics = (
        MetricInfo("id_sim", "cos", True, (-1.0, 1.0), 50),
        MetricInfo("face_detect_rate", "", True, (0.0, 1.0), 50),
    )
    weight_files = (
        WeightFile(
            key="arcface",
            file="w600k_r50.onnx",
            what="ArcFace (buffalo_l of InsightFace is usual), ONNX",
            code_licence="MIT (InsightFace)",
            weights_licence="non-commercial research only (InsightFace)",
            how="the README of the project insightface lists the model packs; the file is in buffalo_l",
        ),
    )
    packages = ("onnxruntime",)
    needs = Needs(
        frames=True,
        fps=5.0,
        size_px=None,
        fit="whole",
        sample_rate_hz=None,
        min_duration_s=0.0,
        side=("faces", "reference_image"),
    )

    def __init__(self, network: Any) -> None:
        self._network = network
        self._input = network.get_inputs()[0].name
        self._one_by_one = network.get_inputs()[0].shape[0] == 1

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From an ONNX file with one input [n, 3, 112, 112] and one output [n, dim].

        Raises:
            WeightsError: if the file is no such network.
        """
        del options, device
        onnxruntime, path = require("onnxruntime", cls.name), weights["arcface"]
        try:
            network = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has many kinds of its own
            raise WeightsError(
                f"{path} cannot be read as ONNX ({type(error).__name__}); get it again"
            ) from error
        _check_shapes(network, path)
        return cls(network)

    def read(self, media: ClipMedia) -> ClipReading:
        """Both metrics; a first face that serves as the reference is not compared with itself."""
        if media.faces is None:
            reason = "no face boxes were given; name them in the manifest"
            return ClipReading(not_applicable=dict.fromkeys(self.names(), reason))
        if len(media.faces) != len(media.frames):
            raise ValueError(f"{len(media.faces)} face boxes for {len(media.frames)} frames; wanted one each")
        seen = np.flatnonzero(np.isfinite(media.faces).all(1))
        values = {"face_detect_rate": len(seen) / len(media.frames)}
        if len(seen) == 0:
            return ClipReading(values, not_applicable={"id_sim": "no face was found in any frame"})
        crops = np.stack([face_square(media.frames[i], media.faces[i], SIZE_PX) for i in seen])
        found = self.embed(crops)
        if media.reference_image is not None:
            reference, notes = _reference(media.reference_image, media.reference_face)
            values["id_sim"] = float((found @ self.embed(reference[None])[0]).mean())
            return ClipReading(values, notes=notes)
        if len(found) < 2:
            return ClipReading(values, not_applicable={"id_sim": "one face and no reference image"})
        values["id_sim"] = float((found[1:] @ found[0]).mean())
        return ClipReading(values, notes=("no reference image: compared with the first face",))

    def embed(self, faces: ByteArray) -> FloatArray:
        """Unit vectors of faces, RGB [faces, 112, 112, 3] => [faces, dim]."""
        values = (faces.astype(np.float32) - 127.5) / 127.5
        batch = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        parts = [batch[i : i + 1] for i in range(len(batch))] if self._one_by_one else [batch]
        found = np.concatenate([self._network.run(None, {self._input: part})[0] for part in parts])
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def _check_shapes(network: Any, path: Path) -> None:
    inputs, outputs = network.get_inputs(), network.get_outputs()
    wanted = [3, SIZE_PX, SIZE_PX]
    fits = len(inputs) == 1 and list(inputs[0].shape[1:]) == wanted and inputs[0].type == "tensor(float)"
    if not fits or len(outputs[0].shape) != 2:
        found = ", ".join(f"{item.name} {item.type} {item.shape}" for item in [*inputs, *outputs])
        raise WeightsError(f"{path} has {found}; wanted one float input [n, 3, 112, 112], output [n, dim]")


def _reference(image: ByteArray, box: FloatArray | None) -> tuple[ByteArray, tuple[str, ...]]:
    if box is not None:
        return face_square(image, box, SIZE_PX), ()
    note = "no crop: the reference image came without a face box, its centre square counts as the face"
    return centre_squares(image[None], SIZE_PX)[0], (note,)
