"""Local model folders in the format of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mfbench.metrics.full.packages import require
from mfbench.metrics.full.weights import WeightsError


def from_folder(kind: Any, folder: Path) -> Any:
    """`kind.from_pretrained` on a folder: safetensors only, no code of the folder's own, no network.

    Args:
        kind: a class of transformers with weights.
        folder: with config.json and model.safetensors.

    Raises:
        WeightsError: if the folder holds no such model, or only pickled weights.
    """
    if not folder.is_dir():
        raise WeightsError(
            f"{folder} is no folder; wanted the whole folder of the model with its config.json"
        )
    if not any(folder.glob("*.safetensors")):
        raise WeightsError(
            f"{folder} has no .safetensors file; pickled weights (.bin) are refused: convert them"
        )
    import torch

    require("transformers", folder.name).logging.disable_progress_bar()
    try:
        network, report = kind.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            dtype=torch.float32,  # the default is the file's own, often half precision
        )
    except Exception as error:  # transformers raises whatever its parsers stumbled over
        raise WeightsError(
            f"{folder} cannot be read as a model of transformers ({type(error).__name__}: "
            f"{(str(error).strip() or 'no message').splitlines()[0]}); get the folder again"
        ) from error
    absent = sorted(report["missing_keys"])
    if absent:
        raise WeightsError(
            f"{folder} lacks {len(absent)} parameters, such as {absent[0]}; it is another model"
        )
    return network


def part_from_folder(kind: Any, folder: Path) -> Any:
    """`kind.from_pretrained` of a tokenizer or a feature extractor.

    Raises:
        WeightsError: if its files are not in the folder.
    """
    try:
        return kind.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise WeightsError(
            f"{folder} has no usable {kind.__name__} ({type(error).__name__}); save the whole folder, with "
            "preprocessor_config.json and the files of the tokenizer"
        ) from error
