"""Optional packages: imported late, kept away from the network, missed with the command that brings them."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

from mfbench.errors import PreflightError

INSTALL = "pip install 'mfbench[full]'"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


class PackageMissingError(PreflightError, ImportError):
    """An optional package that a metric of the full tier needs is not installed."""


def installed(package: str) -> bool:
    """Whether a package can be imported, found out without importing it."""
    return importlib.util.find_spec(package) is not None


def require(package: str, wanted_by: str) -> ModuleType:
    """Import an optional package whose hub client, if it has one, is told that there is no network.

    Raises:
        PackageMissingError: if it is not installed.
    """
    os.environ.update(OFFLINE)  # read when the hub client is first imported
    if not installed(package):
        raise PackageMissingError(f"{wanted_by} needs the package {package}, which is missing; {INSTALL}")
    return importlib.import_module(package)
