"""`weights.yaml`: which local file holds the weights of which model, and the digest it must have.

    syncnet: {path: syncnet_v2.model, sha256: 961e8696...}
    clip: {path: clip/open_clip_pytorch_model.bin, sha256: a2bf730a..., model: ViT-B-32}

Relative paths are relative to the file. Nothing is ever fetched: an address instead of a path is an error.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfbench.errors import UsageError
from mfbench.metrics.full import ADAPTERS, adapter
from mfbench.metrics.full.base import Adapter, WeightFile

_BLOCK_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!\\)")  # a scheme; one letter would be a drive
_REQUIRED = ("path", "sha256")


class WeightsError(UsageError, ValueError):
    """Weights that are not named, not there, not what they should be, or not of the model they are for."""


@dataclass(frozen=True)
class GivenWeights:
    """One entry of `weights.yaml`.

    Attributes:
        path: of a file or folder, not yet looked at.
        sha256: that it must have, see `digest`.
        options: further keys of the entry.
    """

    key: str
    path: Path
    sha256: str
    options: Mapping[str, str]

    def check(self) -> None:
        """Make sure that the file is there and is the right one.

        Raises:
            WeightsError: if it is missing or has another digest.
        """
        if not self.path.exists():
            raise WeightsError(f"{self.key}: there is no {self.path}; mend the path in weights.yaml")
        found = digest(self.path)
        if found != self.sha256:
            raise WeightsError(
                f"{self.key}: {self.path} has sha256 {found}, expected {self.sha256}; "
                "the file is damaged or another one: get it again, or correct sha256 if this one is meant"
            )


def known_files() -> dict[str, WeightFile]:
    """Every file that some adapter can use, by its key in `weights.yaml`."""
    return {file.key: file for name in ADAPTERS for file in adapter(name).weight_files}


def entries(yaml_file: Path) -> dict[str, object]:
    """The entries of `weights.yaml`, not yet checked.

    Raises:
        WeightsError: if the file is missing or is no map.
    """
    import yaml

    try:
        found = yaml.safe_load(yaml_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"cannot read {yaml_file} ({error.strerror}); wanted a weights.yaml") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WeightsError(f"{yaml_file} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{yaml_file} holds {found!r}; wanted a map of KEY: {{path: ..., sha256: ...}}")
    return {str(key): entry for key, entry in found.items()}


def given(key: str, entry: object, folder: Path) -> GivenWeights:
    """One entry, checked in form; `folder` is where relative paths begin.

    Raises:
        WeightsError: if the key is unknown or the entry is not complete.
    """
    known = known_files()
    if key not in known:
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.5) or sorted(known)
        raise WeightsError(
            f"weights.yaml names {key!r}, which no adapter knows; did you mean {', '.join(near)}?"
        )
    if not isinstance(entry, dict) or not set(_REQUIRED) <= entry.keys():
        raise WeightsError(f"{key}: {entry!r}; wanted {{path: FILE, sha256: 64 hexadecimal digits}}")
    allowed = (*_REQUIRED, *known[key].options)
    unknown = sorted(str(name) for name in entry if name not in allowed)
    if unknown:
        raise WeightsError(f"{key}: unknown {', '.join(unknown)}; an entry may have {', '.join(allowed)}")
    options = {name: str(entry[name]) for name in known[key].options if name in entry}
    return GivenWeights(key, _local(key, str(entry["path"]), folder), _sha256(key, entry["sha256"]), options)


def read_weights(yaml_file: Path) -> dict[str, GivenWeights]:
    """All entries of `weights.yaml`, checked in form; the files themselves are checked by `open_adapter`.

    Raises:
        WeightsError: with the first entry that is wrong.
    """
    found = entries(yaml_file)
    return {key: given(key, entry, yaml_file.parent) for key, entry in found.items()}


def open_adapter(name: str, weights: Mapping[str, GivenWeights], *, device: str = "cpu") -> Adapter:
    """Check the digests of an adapter's files, then load it.

    Raises:
        WeightsError: if a file is not named, missing, another one, or no such model.
        PackageMissingError: if an optional package is not installed.
    """
    wanted = adapter(name)
    keys = [file.key for file in wanted.weight_files]
    absent = [key for key in keys if key not in weights]
    if absent:
        raise WeightsError(
            f"{name} needs {', '.join(absent)} in weights.yaml; `mfbench doctor` says how to get it"
        )
    options: dict[str, str] = {}
    for key in keys:
        weights[key].check()
        options |= weights[key].options
    return wanted.load({key: weights[key].path for key in keys}, options=options, device=device)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder: of the sorted relative names of its files and their digests.

    Hidden files and folders do not count; download tools leave notes there.
    """
    if not path.is_dir():
        return _file_digest(path)
    total = hashlib.sha256()
    for file in sorted(path.rglob("*"), key=lambda file: file.relative_to(path).as_posix()):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            total.update(f"{name.as_posix()}\0{_file_digest(file)}\n".encode())
    return total.hexdigest()


def _file_digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()


def _local(key: str, text: str, folder: Path) -> Path:
    if _ADDRESS.match(text):
        raise WeightsError(
            f"{key}: {text} is an address; mfbench fetches nothing: get the file, give its path"
        )
    return folder / Path(text).expanduser()


def _sha256(key: str, value: object) -> str:
    text = str(value).lower()
    if not _DIGEST.fullmatch(text):
        raise WeightsError(
            f"{key}: sha256 is {value!r}; wanted 64 hexadecimal digits, `mfbench doctor --digest FILE`"
        )
    return text
