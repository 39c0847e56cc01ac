from __future__ import annotations

import numpy as np
import pytest
import torch
from full_world import pictures, sound, syncnet_file

from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.syncnet import SyncNet
from mfbench.metrics.full.syncnet_net import SyncNetwork
from mfbench.metrics.full.weights import WeightsError

# Names and shapes of the published file, without the statistics of BatchNorm.
PUBLISHED = {
    "netcnnaud.0.weight": (64, 1, 3, 3),
    "netcnnaud.4.weight": (192, 64, 3, 3),
    "netcnnaud.8.weight": (384, 192, 3, 3),
    "netcnnaud.11.weight": (256, 384, 3, 3),
    "netcnnaud.14.weight": (256, 256, 3, 3),
    "netcnnaud.18.weight": (512, 256, 5, 4),
    "netcnnaud.19.running_mean": (512,),
    "netfcaud.0.weight": (512, 512),
    "netfcaud.1.running_var": (512,),
    "netfcaud.3.weight": (1024, 512),
    "netfclip.3.bias": (1024,),
    "netcnnlip.0.weight": (96, 3, 5, 7, 7),
    "netcnnlip.4.weight": (256, 96, 1, 5, 5),
    "netcnnlip.8.weight": (256, 256, 1, 3, 3),
    "netcnnlip.11.weight": (256, 256, 1, 3, 3),
    "netcnnlip.14.weight": (256, 256, 1, 3, 3),
    "netcnnlip.18.weight": (512, 256, 1, 6, 6),
    "netcnnlip.19.weight": (512,),
}
LIVE_TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return syncnet_file(tmp_path_factory.mktemp("syncnet"))


@pytest.fixture(scope="module")
def adapter(weights):
    return SyncNet.load({"syncnet": weights})


class LoudAndBright:
    """A network that compares how loud it is with how bright it is, on one scale."""

    def sound(self, cepstra: torch.Tensor) -> torch.Tensor:
        return cepstra[:, 0, 0].mean(1, keepdim=True) - 15

    def lips(self, video: torch.Tensor) -> torch.Tensor:
        brightness = video.mean((0, 2, 3)).unfold(0, 5, 1).mean(1, keepdim=True)
        return brightness / 10 - 15


def loud_and_bright(lead: int, frames: int = 90) -> ClipMedia:
    """Loudness drawn anew every 40 ms, and brightness that follows it `lead` frames later."""
    rng = np.random.default_rng(0)
    level = rng.uniform(8, 22, frames + 40)  # logarithm of the energy of 25 ms
    energy = 400 * (1 + 0.97**2) / 2  # of white noise of deviation 1 after pre-emphasis, in half the spectrum
    deviation = np.sqrt(np.exp(level[20 : 20 + frames]) / energy)
    waveform = np.repeat(deviation, 640) * rng.standard_normal(frames * 640) / 32_768
    bright = 10 * level[20 - lead : 20 - lead + frames]
    pictures = np.broadcast_to(bright[:, None, None, None], (frames, 224, 224, 3)).astype(np.uint8)
    return ClipMedia(pictures, waveform.astype(np.float32))


@pytest.mark.parametrize("lead", [-7, -3, 0, 2, 10])
def test_moving_the_sound_moves_the_offset_to_the_right_side(lead):
    reading = SyncNet(LoudAndBright()).read(loud_and_bright(lead))
    assert reading.values["av_offset_syncnet_ms"] == 40 * lead
    assert reading.values["lse_c"] > 0.7  # of about 2 between unrelated rows
    if lead == 0:
        assert reading.values["lse_d0"] == reading.values["lse_d"]


def test_the_network_has_the_names_and_shapes_of_the_published_file():
    own = {name: tuple(value.shape) for name, value in SyncNetwork().state_dict().items()}
    assert {name: own.get(name) for name in PUBLISHED} == PUBLISHED
    layers = sorted({name.rpartition(".")[0] for name in own})
    assert len(layers) == 2 * (6 + 6) + 2 * 3  # convolutions and linear layers with their norms


def test_numbers_of_the_seeded_network(adapter):
    reading = adapter.read(ClipMedia(pictures(8, 224, 224), sound(0.4)))
    row = reading.features["lse_c_null"][1]
    wanted = [0.070413, 0.519778, 0.298135, -0.076233, 0.02673, 0.055245]
    assert row[[0, 1, 2, 1024, 1025, 1026]] == pytest.approx(wanted, abs=LIVE_TOLERANCE)
    assert reading.features["lse_c_null"].shape == (3, 2048)
    assert reading.values["lse_d0"] == pytest.approx(8.78634, rel=LIVE_TOLERANCE)
    assert "no crop" in reading.notes[0]


def test_the_network_sees_bgr_of_successive_windows_and_cepstra_of_the_same_time(adapter, weights):
    """The whole clip at once gives what each window gives alone, as the published code does it."""
    from python_speech_features import mfcc

    frames, waveform = pictures(9, 224, 224), sound(0.36)
    video, audio = adapter.embeddings(frames, waveform)
    network = SyncNetwork()
    network.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    network.eval()
    cepstra = mfcc(np.rint(waveform * 32_768).clip(-32_768, 32_767).astype(np.int16), 16_000)
    with torch.no_grad():
        for i in range(4):
            window = torch.from_numpy(frames[i : i + 5, :, :, ::-1].transpose(3, 0, 1, 2).astype(np.float32))
            lips = network.netfclip(network.netcnnlip(window[None]).flatten(1))[0]
            heard = torch.from_numpy(cepstra[4 * i : 4 * i + 20].T.astype(np.float32))
            sounds = network.netfcaud(network.netcnnaud(heard[None, None]).flatten(1))[0]
            np.testing.assert_allclose(video[i], lips, atol=1e-4)
            np.testing.assert_allclose(audio[i], sounds, atol=1e-4)


def test_boxes_cut_picture_and_sound_to_the_track():
    media = loud_and_bright(2)
    faces = np.full((90, 4), np.nan, np.float32)
    faces[30:] = [60, 60, 120, 120]
    cut = SyncNet(LoudAndBright()).read(ClipMedia(media.frames, media.waveform, faces=faces))
    assert cut.values["av_offset_syncnet_ms"] == 80
    assert cut.notes == ("a face was seen in frames 30 to 89 of 90 only",)
    faces[:] = [60, 60, 120, 120]
    assert SyncNet(LoudAndBright()).read(ClipMedia(media.frames, media.waveform, faces=faces)).notes == ()


def test_forms_that_a_clip_is_too_short_for_say_so():
    network = SyncNet(LoudAndBright())
    reading = network.read(loud_and_bright(0, frames=35))
    assert {m: reading.status(m) for m in ("lse_c", "lse_c_valid", "lse_c_5s", "lse_d_5s")} == {
        "lse_c": "ok",
        "lse_c_valid": "not_applicable",
        "lse_c_5s": "not_applicable",
        "lse_d_5s": "not_applicable",
    }
    assert "wanted at least 31" in reading.not_applicable["lse_c_valid"]
    whole = network.read(loud_and_bright(0, frames=125))
    assert whole.values["lse_c_5s"] == whole.values["lse_c"]
    assert {
        network_metric: whole.status(network_metric) for network_metric in SyncNet.names()
    } == dict.fromkeys(SyncNet.names(), "ok")


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (ClipMedia(pictures(8, 32, 32)), "no sound"),
        (ClipMedia(pictures(8, 32, 32), sound(0.1)), "wanted at least 6"),
        (ClipMedia(pictures(8, 32, 32), sound(0.4), faces=np.full((8, 4), np.nan, np.float32)), "no face"),
    ],
)
def test_clips_without_sound_or_face_are_not_applicable(media, reason):
    reading = SyncNet(LoudAndBright()).read(media)
    assert set(reading.not_applicable) == set(SyncNet.names())
    assert reason in reading.not_applicable["lse_c"]


def test_boxes_of_other_frames_are_refused():
    faces = np.full((7, 4), 10, np.float32)
    with pytest.raises(ValueError, match="7 face boxes for 8 frames"):
        SyncNet(LoudAndBright()).read(ClipMedia(pictures(8, 32, 32), sound(0.4), faces=faces))


def test_the_null_is_of_wrong_pairs_and_other_metrics_are_no_set_metrics():
    network = SyncNet(LoudAndBright())
    readings = [network.read(loud_and_bright(k, frames=60)) for k in (0, 1, 2)]
    rows = [reading.features["lse_c_null"] for reading in readings]
    assert network.value("lse_c_null", rows, []) >= 0
    with pytest.raises(ValueError, match="no set metric"):
        network.value("lse_c", rows, [])


def test_another_network_is_refused_with_the_names_that_differ(tmp_path):
    torch.save(
        {"netcnnaud.0.weight": torch.zeros(64, 1, 3, 3), "foreign": torch.zeros(1)}, tmp_path / "x.model"
    )
    with pytest.raises(WeightsError, match=r"no SyncNetwork: it lacks netcnnaud\.0\.bias.* it has foreign"):
        SyncNet.load({"syncnet": tmp_path / "x.model"})
    state = SyncNetwork().state_dict()
    state["netfclip.3.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "y.model")
    with pytest.raises(WeightsError, match=r"of this size: netfclip\.3\.bias \(7,\)"):
        SyncNet.load({"syncnet": tmp_path / "y.model"})
