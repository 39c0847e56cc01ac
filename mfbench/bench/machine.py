"""What else the machine does while something is timed, and how much memory this process takes."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from mfbench import provenance
from mfbench.processes import MIB, memory_peak_mb

_PEAK_RESET = "5"  # what clears VmHWM, see proc(5), /proc/[pid]/clear_refs


@dataclass(frozen=True)
class Load:
    """How alone a timed process was.

    Attributes:
        before: load average of the last minute when it began (work of this process counts), None: unknown.
        after: when it ended.
        held: share of the wall time in which the timed thread had a processor; an undisturbed one has 1. None
            where it may wait for a graphics processor.
        threads: of this process.
        cores: that it may use.
        gpu_processes: other processes on the graphics processors, None: unknown or none used.
    """

    before: float | None
    after: float | None
    held: float | None
    threads: int
    cores: int
    gpu_processes: int | None


class LoadWatch:
    """Watch from the making of this object until `seen`."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.before, self.wall, self.thread = _load(), time.perf_counter(), time.thread_time()

    def seen(self) -> Load:
        """What was seen since."""
        held = (time.thread_time() - self.thread) / max(time.perf_counter() - self.wall, 1e-9)
        return Load(
            before=self.before,
            after=_load(),
            held=min(held, 1.0) if self.device == "cpu" else None,
            threads=torch.get_num_threads(),
            cores=provenance.cores(),
            gpu_processes=other_gpu_processes() if self.device == "cuda" else None,
        )


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


class _Process(ctypes.Structure):
    """`nvmlProcessInfo_t` of version 2 and 3."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


def other_gpu_processes() -> int | None:
    """Processes with a context on any graphics processor, this one not counted; None where nobody tells.

    The driver names processes as the host does, so inside a container this one cannot be told by its number.
    """
    try:
        driver = ctypes.CDLL("libnvidia-ml.so.1")
        if driver.nvmlInit_v2():
            return None
        count = ctypes.c_uint()
        if driver.nvmlDeviceGetCount_v2(ctypes.byref(count)):
            return None
        seen = [_processes_on(driver, index) for index in range(count.value)]
    except (OSError, AttributeError):  # no driver, or one without these calls
        return None
    known = [number for number in seen if number is not None]
    return max(sum(known) - 1, 0) if known else None


def _processes_on(driver: ctypes.CDLL, index: int) -> int | None:
    handle, room = ctypes.c_void_p(), ctypes.c_uint(64)
    if driver.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)):
        return None
    found = (_Process * room.value)()
    if driver.nvmlDeviceGetComputeRunningProcesses_v3(handle, ctypes.byref(room), found):
        return None
    return room.value


def reset_memory_peak(device: str) -> None:
    """Let peaks begin anew, where the system can; otherwise they stay those of the whole process."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        Path("/proc/self/clear_refs").write_text(_PEAK_RESET, encoding="ascii")
    except OSError:
        return


def host_memory_peak_mb() -> float:
    """Largest resident size of this process since the last reset."""
    found = memory_peak_mb("self")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB if found is None else found


def device_memory_peak_mb(device: str) -> float | None:
    """Largest memory that torch allocated on the graphics processor since the last reset; None on a CPU."""
    return torch.cuda.max_memory_allocated() / MIB if device == "cuda" else None
