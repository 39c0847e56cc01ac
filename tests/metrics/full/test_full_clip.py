from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from full_world import TINY_CLIP, clip_config, clip_model, pictures
from safetensors.torch import save_file
from torch.nn import functional

from mfbench.metrics.full.base import ClipMedia
from mfbench.metrics.full.clip import Clip
from mfbench.metrics.full.weights import WeightsError

TOLERANCE = 2e-3  # between processors; the numbers are of the seeded weights of full_world
GOLDEN_CLIP = (-0.147885, 0.999811)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    clip_config(folder)
    logging.disable(logging.WARNING)  # open_clip warns of random weights
    state = clip_model().state_dict()
    logging.disable(logging.NOTSET)
    torch.save(state, folder / "plain.bin")
    trained = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}}
    torch.save(trained, folder / "checkpoint.pt")
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "model.safetensors")
    return folder


def load_clip(path):
    return Clip.load({"clip": path}, options={"model": TINY_CLIP})


def test_clip_numbers_and_formula(clip_folder):
    adapter, media = load_clip(clip_folder / "plain.bin"), ClipMedia(pictures(4, 32, 32), caption="a face")
    values = adapter.read(media).values
    assert values["clip_sim"] == pytest.approx(GOLDEN_CLIP[0], abs=TOLERANCE)
    assert values["clip_frame_consistency"] == pytest.approx(GOLDEN_CLIP[1], abs=1e-5)
    import open_clip

    logging.disable(logging.WARNING)
    model = clip_model()
    logging.disable(logging.NOTSET)
    mean, deviation = torch.tensor(open_clip.OPENAI_DATASET_MEAN), torch.tensor(open_clip.OPENAI_DATASET_STD)
    seen = ((torch.from_numpy(media.frames) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    with torch.no_grad():
        a, b = model.encode_image(seen), model.encode_text(open_clip.get_tokenizer(TINY_CLIP)(["a face"]))
    wanted = functional.cosine_similarity(a, b).mean()
    assert values["clip_sim"] == pytest.approx(float(wanted), abs=1e-5)
    neighbours = functional.cosine_similarity(a[1:], a[:-1]).mean()
    assert values["clip_frame_consistency"] == pytest.approx(float(neighbours), abs=1e-5)


@pytest.mark.parametrize("name", ["checkpoint.pt", "model.safetensors"])
def test_clip_loads_every_published_form(clip_folder, name):
    media = ClipMedia(pictures(4, 32, 32), caption="a face")
    wanted = load_clip(clip_folder / "plain.bin").read(media).values
    assert load_clip(clip_folder / name).read(media).values == wanted


def test_an_archive_of_openai_loads_with_its_own_activation(clip_folder):
    import open_clip

    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    quick = open_clip.create_model(TINY_CLIP, load_weights=False, force_quick_gelu=True).eval()
    logging.disable(logging.NOTSET)
    frames = pictures(2, 32, 32)
    torch.jit.save(torch.jit.script(_Archive(quick)), str(clip_folder / "archive.pt"))
    adapter = load_clip(clip_folder / "archive.pt")
    mean, deviation = (torch.tensor(v) for v in (quick.visual.image_mean, quick.visual.image_std))
    seen = ((torch.from_numpy(frames) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    with torch.no_grad():
        wanted = functional.normalize(quick.encode_image(seen), dim=-1)
    np.testing.assert_allclose(adapter.embed_frames(frames), wanted, atol=1e-5)
    plain = load_clip(clip_folder / "plain.bin").embed_frames(frames)
    assert np.abs(plain - wanted.numpy()).max() > 1e-4


class _Archive(torch.nn.Module):
    """The parameters of a CLIP under their names, and a number that OpenAI's archives keep beside them."""

    def __init__(self, clip: torch.nn.Module) -> None:
        super().__init__()
        for name, value in clip.named_parameters():
            holder: torch.nn.Module = self
            *path, leaf = name.split(".")
            for part in path:
                if not hasattr(holder, part):
                    holder.add_module(part, torch.nn.Module())
                holder = getattr(holder, part)
            holder.register_parameter(leaf, value)
        self.register_buffer("input_resolution", torch.tensor(32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_clip_needs_a_caption_a_neighbour_and_its_size(clip_folder):
    adapter = load_clip(clip_folder / "plain.bin")
    assert adapter.needs.size_px == 32
    assert Clip.needs.size_px == 224
    reading = adapter.read(ClipMedia(pictures(1, 32, 32), caption=" "))
    assert reading.not_applicable == {
        "clip_sim": "the clip has no caption",
        "clip_frame_consistency": "one frame has no neighbour",
    }
    with pytest.raises(ValueError, match=r"wants \[frames, 32, 32, 3\]"):
        adapter.read(ClipMedia(pictures(2, 30, 32)))
    with pytest.raises(ValueError, match="frames of shape"):
        adapter.read(ClipMedia(pictures(0, 32, 32)))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("ViT-B-23", "did you mean .*ViT-B-32"),
        ("xlm-roberta-base-ViT-B-32", "tokenizer from a hub"),
        ("ViT-B-16-SigLIP", "tokenizer from a hub"),
        ("hf-hub:someone/model", "knows no model"),
    ],
)
def test_models_that_are_unknown_or_need_a_hub_are_refused(clip_folder, model, words):
    with pytest.raises(WeightsError, match=words):
        Clip.load({"clip": clip_folder / "plain.bin"}, options={"model": model})


def test_weights_of_another_clip_are_refused(clip_folder, tmp_path):
    state = torch.load(clip_folder / "plain.bin", weights_only=True)
    del state["visual.proj"]
    torch.save(state, tmp_path / "part.bin")
    with pytest.raises(WeightsError, match=r"no CLIP: it lacks visual\.proj"):
        load_clip(tmp_path / "part.bin")
