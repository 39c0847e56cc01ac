from __future__ import annotations

import numpy as np
import pytest
import torch
from full_world import dinov2_folder, pictures
from torch.nn import functional

from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.dinov2 import DINOv2

TOLERANCE = 2e-3  # between processors; the numbers are of the seeded weights of full_world
GOLDEN_DINO = 0.999675
GOLDEN_DINO_ROW = [-0.317111, 0.361966, -0.024804, -0.339585]


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory):
    return DINOv2.load({"dinov2": dinov2_folder(tmp_path_factory.mktemp("dinov2"))})


def test_dinov2_numbers_and_formula(dinov2, tmp_path):
    from transformers import Dinov2Model

    frames, reference = pictures(3, 256, 256), pictures(1, 256, 300, seed=5)[0]
    reading = dinov2.read(ClipMedia(frames, reference_image=reference))
    assert reading.values["id_dino"] == pytest.approx(GOLDEN_DINO, abs=TOLERANCE)
    assert dinov2.embed(frames)[0, :4] == pytest.approx(GOLDEN_DINO_ROW, abs=TOLERANCE)
    assert reading.notes == ()
    network = Dinov2Model.from_pretrained(str(dinov2_folder(tmp_path)), local_files_only=True).eval()
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    all_frames = np.concatenate([frames, reference[None, :, 22:278]])[:, 16:240, 16:240]
    seen = ((torch.from_numpy(all_frames) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    with torch.no_grad():
        features = network(seen).last_hidden_state[:, 0]
    wanted = functional.cosine_similarity(features[:3], features[3:]).mean()
    assert reading.values["id_dino"] == pytest.approx(float(wanted), abs=1e-5)


def test_dinov2_without_a_reference_takes_the_first_frame_and_says_so(dinov2):
    still = np.repeat(pictures(1, 256, 256), 3, axis=0)
    reading = dinov2.read(ClipMedia(still))
    assert reading.values["id_dino"] == pytest.approx(1.0, abs=1e-6)
    assert "first frame" in reading.notes[0]
    assert dinov2.read(ClipMedia(still[:1])).status("id_dino") == "not_applicable"
    with pytest.raises(ValueError, match="256, 256"):
        dinov2.read(ClipMedia(pictures(2, 224, 224)))


def test_half_precision_folders_compute_in_single(dinov2, tmp_path):
    from transformers import Dinov2Model

    folder = dinov2_folder(tmp_path)
    Dinov2Model.from_pretrained(str(folder), dtype=torch.float16).save_pretrained(folder)
    frames = pictures(2, 256, 256)
    np.testing.assert_allclose(DINOv2.load({"dinov2": folder}).embed(frames), dinov2.embed(frames), atol=2e-2)
