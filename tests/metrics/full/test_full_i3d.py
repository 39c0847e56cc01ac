from __future__ import annotations

import numpy as np
import pytest
import torch
from full_world import i3d_file, pictures

from mfbench.metrics.full import sets
from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.i3d import I3D

TOLERANCE = 2e-3  # between processors; the numbers are of the seeded weights of full_world
GOLDEN_I3D = [0.203015, 0.21137, 0.209065, 0.181534]


@pytest.fixture(scope="module")
def i3d(tmp_path_factory):
    return I3D.load({"i3d": i3d_file(tmp_path_factory.mktemp("i3d"))})


def test_i3d_numbers_and_call(i3d, tmp_path):
    frames = pictures(21, 224, 224)
    row = i3d.read(ClipMedia(frames)).features["fvd"]
    assert row[0, :4] == pytest.approx(GOLDEN_I3D, abs=TOLERANCE)
    network = torch.jit.load(str(i3d_file(tmp_path)))
    middle = torch.from_numpy(frames[2:18].transpose(3, 0, 1, 2).astype(np.float32))[None] / 127.5 - 1
    wanted = network(middle, rescale=False, resize=False, return_features=True).detach().numpy()
    np.testing.assert_allclose(row, wanted, atol=1e-6)


def test_i3d_set_metrics_are_the_formulas_of_its_rows(i3d):
    x, y = (
        [i3d.read(ClipMedia(pictures(16, 224, 224, seed=s))).features["fvd"] for s in seeds]
        for seeds in (range(8), range(20, 28))
    )
    assert i3d.value("fvd", x, y) == sets.frechet(x, y) > i3d.value("fvd", x, x)
    assert i3d.value("fvd", x, x) == pytest.approx(0, abs=1e-6)
    assert i3d.value("fvd_inf", x, y) == sets.extrapolate(x, y).intercept
    assert i3d.value("kvd", x, y) == sets.polynomial_mmd(x, y)
    with pytest.raises(ValueError, match="no set metric of i3d"):
        i3d.value("fad", x, y)


def test_i3d_wants_16_frames_of_its_size(i3d):
    reading = i3d.read(ClipMedia(pictures(15, 224, 224)))
    assert reading.not_applicable["kvd"] == "15 frames; wanted at least 16"
    with pytest.raises(ValueError, match="100 x 90 px"):
        i3d.read(ClipMedia(pictures(16, 90, 100)))
