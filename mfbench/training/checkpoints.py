"""Weights on disk: safetensors for what is published, verified mmengine checkpoints for resume."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from mfbench.clip_spec import ClipSpec
from mfbench.models.av_transformer import AVTransformer, TransformerSpec

HEADER = "mfbench"
PARTS = {"meta", "state_dict", "optimizer"}  # of what mmengine resumes from


class CheckpointError(RuntimeError):
    """A file that holds no usable weights."""


def save_network(network: AVTransformer, path: Path, metadata: dict[str, str]) -> None:
    """Write weights and the network's spec; safetensors holds no code.

    The header has one entry, because safetensors writes several in an order that changes from run to run.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    about = json.dumps({**metadata, "spec": network.spec.to_json()}, sort_keys=True)
    save_file(tensors, path, metadata={HEADER: about})


def load_network(path: Path) -> AVTransformer:
    """Rebuild a network from `save_network`'s file.

    Raises:
        CheckpointError: the file is missing, truncated, no safetensors, or does not fit its own spec.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is not a readable safetensors file ({error}); it may be truncated: "
            "remove the stage folder it lies in and run the same command again"
        ) from error
    if HEADER not in metadata:
        raise CheckpointError(f"{path.name} has no network spec in its header; was it written by mfbench?")
    fields = json.loads(metadata[HEADER])["spec"]
    spec = TransformerSpec(**{**fields, "clip": ClipSpec.from_json(fields["clip"])})
    network = AVTransformer(spec)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} does not fit its own spec: {error}") from error
    return network


def last_verified(folder: Path) -> Path | None:
    """The newest resume checkpoint in a work folder that loads whole; broken ones are passed over.

    Checkpoints are loaded with weights only: one that wants to run code is refused like a truncated one.
    """
    numbered = [path for path in folder.glob("iter_*.pth") if path.stem.split("_")[1].isdecimal()]
    for path in sorted(numbered, key=lambda p: int(p.stem.split("_")[1]), reverse=True):
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile, OSError):
            continue
        if isinstance(held, dict) and set(held) >= PARTS:
            return path
    return None
