from __future__ import annotations

import numpy as np
import pytest
import torch
from full_world import arcface_file, arcface_weights, pictures
from torch.nn import functional

from mfbench.metrics.full.arcface import ArcFace
from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.weights import WeightsError

BOXES = np.array([[20, 20, 130, 140]] * 4, np.float32)
TOLERANCE = 2e-3  # between processors; the numbers are of the seeded weights of full_world
GOLDEN_ARCFACE = 0.846092


@pytest.fixture(scope="module")
def arcface(tmp_path_factory):
    return ArcFace.load({"arcface": arcface_file(tmp_path_factory.mktemp("arcface"))})


def test_arcface_numbers_and_formula(arcface):
    frames = pictures(4, 200, 200)
    reading = arcface.read(ClipMedia(frames, faces=BOXES))
    assert reading.values["id_sim"] == pytest.approx(GOLDEN_ARCFACE, abs=TOLERANCE)
    faces = pictures(3, 112, 112)
    kernel, matrix = (torch.from_numpy(part) for part in arcface_weights())
    values = ((torch.from_numpy(faces).float() - 127.5) / 127.5).permute(0, 3, 1, 2)
    wanted = functional.normalize(functional.conv2d(values, kernel, stride=28).flatten(1) @ matrix, dim=1)
    np.testing.assert_allclose(arcface.embed(faces), wanted, atol=1e-4)


def test_arcface_counts_faces_and_takes_the_reference(arcface):
    frames, faces = pictures(4, 200, 200), BOXES.copy()
    faces[1] = np.nan
    reference = arcface.read(
        ClipMedia(frames, faces=faces, reference_image=frames[0], reference_face=BOXES[0])
    )
    assert reference.values["face_detect_rate"] == 0.75
    first = arcface.read(ClipMedia(frames, faces=faces))
    assert reference.values["id_sim"] == pytest.approx((1 + 2 * first.values["id_sim"]) / 3, abs=1e-5)
    assert "first face" in first.notes[0]
    uncropped = arcface.read(ClipMedia(frames, faces=faces, reference_image=frames[0]))
    assert "no crop" in uncropped.notes[0]
    assert uncropped.values["id_sim"] != pytest.approx(reference.values["id_sim"], abs=1e-3)


def test_arcface_without_boxes_or_faces(arcface):
    frames = pictures(2, 200, 200)
    none = arcface.read(ClipMedia(frames))
    assert set(none.not_applicable) == {"id_sim", "face_detect_rate"}
    empty = arcface.read(ClipMedia(frames, faces=np.full((2, 4), np.nan, np.float32)))
    assert empty.values == {"face_detect_rate": 0.0}
    assert empty.status("id_sim") == "not_applicable"
    with pytest.raises(ValueError, match="4 face boxes for 2 frames"):
        arcface.read(ClipMedia(frames, faces=BOXES))


def test_arcface_refuses_other_networks(tmp_path):
    with pytest.raises(WeightsError, match=r"input\.1 .*wanted one float input \[n, 3, 112, 112\]"):
        ArcFace.load({"arcface": arcface_file(tmp_path, side=140)})
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be read as ONNX"):
        ArcFace.load({"arcface": tmp_path / "bad.onnx"})
