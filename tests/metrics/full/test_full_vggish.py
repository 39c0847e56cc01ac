from __future__ import annotations

import numpy as np
import pytest
import torch
from full_world import sound, vggish_file
from torch.nn import functional

from mfbench.metrics.full import sets, vggish_mel
from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.vggish import VGGish
from mfbench.metrics.full.vggish_net import VGGishNetwork
from mfbench.metrics.full.weights import WeightsError

NO_PICTURE = np.zeros((0, 1, 1, 3), np.uint8)
TOLERANCE = 2e-3  # between processors; the numbers are of the seeded weights of full_world
GOLDEN_VGGISH = [2.434957, -0.671438, 1.431041, -2.976745, 2.161263, -0.241893, 1.478003, -3.227167]


@pytest.fixture(scope="module")
def vggish(tmp_path_factory):
    return VGGish.load({"vggish": vggish_file(tmp_path_factory.mktemp("vggish"))})


def functional_vggish(state: dict[str, torch.Tensor], patches: torch.Tensor) -> torch.Tensor:
    """The published layers by their published names."""
    x = patches[:, None]
    for index in (0, 3, 6, 8, 11, 13):
        x = functional.conv2d(
            x, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1
        )
        x = x.relu()
        if index not in (6, 11):
            x = functional.max_pool2d(x, 2)
    x = x.transpose(1, 3).transpose(1, 2).flatten(1)
    for index in (0, 2, 4):
        x = functional.linear(x, state[f"embeddings.{index}.weight"], state[f"embeddings.{index}.bias"])
        x = x.relu() if index < 4 else x
    return x


def test_vggish_numbers_and_layers(vggish, tmp_path):
    waveform = sound(2.5)
    rows = vggish.read(ClipMedia(NO_PICTURE, waveform)).features["fad"]
    assert rows.shape == (2, 128)
    assert rows[:, :4].ravel() == pytest.approx(GOLDEN_VGGISH, abs=TOLERANCE)
    state = torch.load(vggish_file(tmp_path), weights_only=True)
    wanted = functional_vggish(state, torch.from_numpy(vggish_mel.patches(waveform)))
    np.testing.assert_allclose(rows, wanted, atol=1e-4)


def test_vggish_loads_with_the_parameters_of_a_postprocessor(tmp_path):
    state = torch.load(vggish_file(tmp_path), weights_only=True)
    state["pproc.pca_means"] = torch.zeros(128, 1)
    torch.save(state, tmp_path / "with.pth")
    assert isinstance(VGGish.load({"vggish": tmp_path / "with.pth"}), VGGish)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="no VGGish"):
        VGGish.load({"vggish": tmp_path / "other.pth"})


def test_log_mel_equals_the_definition_written_out():
    waveform = sound(1.0)
    found = vggish_mel.patches(waveform)
    assert found.shape == (1, 96, 64)

    def mel(f: float) -> float:
        return 1127 * np.log(1 + f / 700)

    edges = np.linspace(mel(125), mel(7500), 66)
    for frame in (0, 50, 95):
        window = waveform[160 * frame : 160 * frame + 400] * (
            0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
        )
        spectrum = np.abs(np.fft.rfft(window, 512))
        for band in (0, 31, 63):
            low, peak, high = edges[band : band + 3]
            total = 0.0
            for k in range(1, 257):
                m = mel(k * 16_000 / 512)
                total += max(0, min((m - low) / (peak - low), (high - m) / (high - peak))) * spectrum[k]
            assert found[0, frame, band] == pytest.approx(np.log(total + 0.01), abs=1e-4)


def test_vggish_set_metrics_are_the_formulas_of_its_rows(vggish):
    x, y = (
        [vggish.read(ClipMedia(NO_PICTURE, sound(2.2, seed=s))).features["kad"] for s in seeds]
        for seeds in (range(8), range(20, 28))
    )
    assert vggish.value("fad", x, y) == sets.frechet(x, y) > vggish.value("fad", x, x)
    assert vggish.value("fad_inf", x, y) == sets.extrapolate(x, y).intercept
    assert vggish.value("kad", x, y) == 100 * sets.gaussian_mmd(x, y)


def test_vggish_wants_a_whole_patch(vggish):
    assert "15600" in vggish.read(ClipMedia(NO_PICTURE, sound(0.9))).not_applicable["fad"]
    assert vggish.read(ClipMedia(NO_PICTURE, sound(0.975))).features["fad"].shape == (1, 128)
    assert vggish.read(ClipMedia(NO_PICTURE)).not_applicable["kad"] == "the clip has no sound"


@pytest.mark.slow
def test_vggish_at_its_real_size(tmp_path):
    loaded = VGGish.load({"vggish": vggish_file(tmp_path, hidden=4096)})
    assert loaded.read(ClipMedia(NO_PICTURE, sound(1.0))).features["fad"].shape == (1, 128)


def test_the_real_vggish_has_its_published_size():
    with torch.device("meta"):
        state = VGGishNetwork().state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items() if name.startswith("embeddings")}
    assert shapes["embeddings.0.weight"] == (4096, 12_288)
    assert shapes["embeddings.4.bias"] == (128,)
    assert sum(value.numel() for value in state.values()) == 72_141_184
