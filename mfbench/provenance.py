"""Where a result comes from: commit, packages, hardware. No path, host or user name."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "mfbench",
    "torch",
    "torchaudio",
    "onedl-mmengine",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "av",
)


@cache
def git_state() -> dict[str, Any]:
    """Commit of the source tree and whether tracked files differ from it."""
    root = Path(__file__).parent.parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    status = git("status", "--porcelain", "--untracked-files=no")
    return {"git": git("rev-parse", "HEAD"), "dirty": None if status is None else bool(status)}


@cache
def packages() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def hardware() -> dict[str, Any]:
    """Processor, cores this process may use, memory, and graphics processors."""
    return {"cpu": _cpu_name(), "cores": cores(), "memory_gb": _memory_gb(), "gpus": gpu_names()}


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def gpu_names() -> list[str]:
    """Names of the CUDA devices, asked from the driver without importing torch."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []
    names = []
    for index in range(count.value):
        text = ctypes.create_string_buffer(128)
        device = ctypes.c_int()
        if not driver.cuDeviceGet(ctypes.byref(device), index):
            driver.cuDeviceGetName(text, len(text), device)
        names.append(text.value.decode())
    return names


def describe(argv: list[str], *, threads: int, code_digest: str) -> dict[str, Any]:
    """The provenance of one command, without its times."""
    return {
        **git_state(),
        "code_digest": code_digest,
        "packages": packages(),
        "python": platform.python_version(),
        "hardware": hardware(),
        "threads": threads,
        "argv": [_relative(word) for word in argv],
    }


def command() -> list[str]:
    """How this process was called, as a command that works elsewhere."""
    return ["python", "-m", "mfbench", *sys.argv[1:]]


def _relative(word: str) -> str:
    """A word of the command line with absolute paths cut down to what is the same elsewhere."""
    key, separator, value = word.rpartition("=")
    if value.startswith("~") or Path(value).is_absolute():
        path = Path(value)
        value = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name
    return f"{key}{separator}{value}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
