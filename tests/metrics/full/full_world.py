"""Small models with seeded weights, saved as their publishers save them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mfbench.metrics.full.syncnet_net import SyncNetwork
from mfbench.metrics.full.vggish_net import VGGishNetwork

RATE_HZ = 16_000
TINY_CLIP = "mfbench-tiny"
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def moved_norms(network: nn.Module) -> nn.Module:
    """BatchNorm statistics other than 0 and 1, so that they matter."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return network


def lively(network: nn.Module) -> nn.Module:
    """Weights large enough that different inputs give clearly different outputs."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return network


def syncnet_file(folder: Path) -> Path:
    """Without batch counters and in the format before zip files, as the published file is."""
    torch.manual_seed(0)
    state = moved_norms(SyncNetwork()).state_dict()
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(old, folder / "syncnet_v2.model", _use_new_zipfile_serialization=False)
    return folder / "syncnet_v2.model"


def vggish_file(folder: Path, hidden: int = 32) -> Path:
    torch.manual_seed(0)
    network = lively(VGGishNetwork(hidden=hidden))
    torch.save(network.state_dict(), folder / "vggish.pth")
    return folder / "vggish.pth"


class ScriptedI3D(nn.Module):
    """The call signature of the published file; other flags give other numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(3, 6, (4, 16, 16), (4, 16, 16))

    def forward(
        self, x: torch.Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False
    ) -> torch.Tensor:
        if rescale:
            x = 2 * x / 255 - 1
        if resize:
            x = torch.nn.functional.interpolate(x, size=[16, 112, 112])
        features = self.convolution(x).relu().mean(dim=[3, 4]).flatten(1)
        return features if return_features else features.softmax(1)


def i3d_file(folder: Path) -> Path:
    torch.manual_seed(0)
    torch.jit.save(torch.jit.script(lively(ScriptedI3D())), str(folder / "i3d_torchscript.pt"))
    return folder / "i3d_torchscript.pt"


def clip_config(folder: Path) -> None:
    """Tell open_clip of a tiny CLIP with the real vocabulary."""
    import open_clip

    vision = {"image_size": 32, "layers": 1, "width": 16, "patch_size": 16, "head_width": 8}
    text = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    config = {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}
    (folder / f"{TINY_CLIP}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / f"{TINY_CLIP}.json")


def clip_model() -> nn.Module:
    import open_clip

    torch.manual_seed(0)
    return open_clip.create_model(TINY_CLIP, load_weights=False).eval()


def dinov2_folder(folder: Path) -> Path:
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    sizes = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=32
    )
    Dinov2Model(sizes).save_pretrained(folder)
    return folder


def whisper_folder(folder: Path) -> Path:
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
    )

    tokenizer = _whisper_tokenizer()
    end, start, language, task, plain = (
        tokenizer.convert_tokens_to_ids(token)
        for token in (
            "<|endoftext|>",
            "<|startoftranscript|>",
            "<|en|>",
            "<|transcribe|>",
            "<|notimestamps|>",
        )
    )
    torch.manual_seed(2)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=80,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=24,
        init_std=1.0,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        is_multilingual=True,
        lang_to_id={"<|en|>": language},
        task_to_id={"transcribe": task},
        no_timestamps_token_id=plain,
        max_length=10,
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


def _whisper_tokenizer():
    from transformers import WhisperTokenizer

    vocabulary = {f"Ġ{word}": index for index, word in enumerate(WORDS)}
    for token in ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"):
        vocabulary[token] = len(vocabulary)
    special = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    return tokenizer


def arcface_weights(side: int = 112) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((12, 3, 28, 28)).astype(np.float32), rng.standard_normal(
        (12 * (side // 28) ** 2, 8)
    ).astype("f")


def arcface_file(folder: Path, side: int = 112) -> Path:
    """One convolution and one matrix between the input and output of the real file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kernel, matrix = arcface_weights(side)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["input.1", "kernel"], ["maps"], strides=[28, 28]),
            helper.make_node("Flatten", ["maps"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
        ],
        "arcface",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, ["n", 3, side, side])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "w600k_r50.onnx"))
    return folder / "w600k_r50.onnx"


def pictures(frames: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth coloured noise that moves a little, uint8 [frames, height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    found = np.zeros((frames, height, width, 3))
    for channel in range(3):
        for _ in range(4):
            fy, fx, speed, phase = (
                rng.uniform(0.02, 0.2),
                rng.uniform(0.02, 0.2),
                rng.uniform(0, 0.5),
                rng.uniform(0, 6),
            )
            time = np.arange(frames)[:, None, None] * speed
            found[..., channel] += np.sin(fy * y + fx * x + time + phase)
    return (127.5 + 30 * found).clip(0, 255).astype(np.uint8)


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    """Tones that come and go in noise, float32 at 16 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tones = sum(
        np.sin(2 * np.pi * f * time) * np.sin(2 * np.pi * g * time) for f, g in rng.uniform(3, 900, (6, 2))
    )
    return (0.1 * tones + 0.01 * rng.standard_normal(len(time))).astype(np.float32)
