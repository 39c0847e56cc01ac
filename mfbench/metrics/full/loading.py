"""Files of weights into torch, without ever running a pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from mfbench.metrics.full.weights import WeightsError

_NAMED = 4  # names that an error lists


def load_state(path: Path, *, inner: str = "") -> dict[str, Tensor]:
    """The tensors of a state dict: safetensors, or a torch file of plain data.

    Args:
        path: of the file.
        inner: name under which a training checkpoint keeps its state dict, which then is taken.

    Raises:
        WeightsError: if the file cannot be read that way.
    """
    try:
        found = _read(path)
    except Exception as error:  # torch raises whatever its parser stumbled over
        raise WeightsError(
            f"{path} cannot be read as weights ({type(error).__name__}: {_first_line(error)}); wanted a "
            "state dict of tensors alone: pickled objects are refused, a damaged file must be got again"
        ) from error
    if isinstance(found, dict) and isinstance(found.get(inner), dict):
        found = found[inner]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise WeightsError(
            f"{path} holds a {type(found).__name__}, not names and tensors; wanted a state dict"
        )
    return {str(name): value for name, value in found.items()}


def load_script(path: Path, device: str) -> torch.jit.ScriptModule:
    """A TorchScript archive, ready to be called.

    Raises:
        WeightsError: if it is none.
    """
    if not is_script(path):
        raise WeightsError(f"{path} is no TorchScript archive; wanted the file as its publisher gives it")
    try:
        script: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device).eval()
    except Exception as error:
        raise WeightsError(
            f"{path} cannot be read as TorchScript ({type(error).__name__}: {_first_line(error)}); "
            "get it again"
        ) from error
    return script


def is_script(path: Path) -> bool:
    """Whether a file is a TorchScript archive, told from its table of contents."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def fill(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, *, optional: tuple[str, ...] = ()
) -> None:
    """Copy a state dict into a network that must have exactly these parameters.

    Args:
        network: changed in place.
        state: by name.
        path: for messages.
        optional: ends of names that may be missing.

    Raises:
        WeightsError: if names or shapes differ.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(optional or ("\0",))]
    foreign = [name for name in state if name not in own]
    if missing or foreign:
        raise WeightsError(
            f"{path} is no {type(network).__name__}: it lacks {_some(missing)}; it has {_some(foreign)}"
        )
    wrong = [f"{n} {tuple(state[n].shape)}" for n in own if n in state and state[n].shape != own[n].shape]
    if wrong:
        raise WeightsError(f"{path} is no {type(network).__name__} of this size: {_some(wrong)}")
    network.load_state_dict(dict(state), strict=False)


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return (", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")) or "nothing"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0]
