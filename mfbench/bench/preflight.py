"""Checks before any work: imports, metric self-tests, disk space."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

from mfbench.errors import PreflightError
from mfbench.registry import METRICS, BrokenModuleError, import_tree

FREE_MB = 500


def check_disk(folder: Path, needed_mb: int = FREE_MB) -> None:
    """Refuse to start where the disk is nearly full."""
    free_mb = shutil.disk_usage(folder).free // 2**20
    if free_mb < needed_mb:
        raise PreflightError(
            f"the disk of {folder} has {free_mb} MB left, wanted are {needed_mb} MB; free some or use --out"
        )


def check_imports(packages: tuple[str, ...], bodies: list[str]) -> None:
    """Import the experiment's packages and the stage bodies that will run."""
    try:
        for package in packages:
            import_tree(package)
        for body in bodies:
            importlib.import_module(body)
    except BrokenModuleError as error:
        raise PreflightError(str(error)) from error
    except Exception as error:
        raise PreflightError(f"importing the stage bodies raised {type(error).__name__}: {error}") from error


def check_metrics(names: tuple[str, ...]) -> None:
    """Run the self-test of every metric that has one."""
    for name in names:
        try:
            self_test = getattr(METRICS.get(name), "self_test", None)
            if self_test is not None:
                self_test()
        except Exception as error:
            raise PreflightError(
                f"metric {name} fails its self-test: {type(error).__name__}: {error}"
            ) from error
