"""Energy that a stretch of work took, from counters of the hardware.

Counters are read, not powers averaged: a power is a mean over some 25 ms to 1 s of the past, and summing it
up misses short work. On a graphics processor the total energy of the board counts (NVML, Volta and later), on
a CPU that of packages and memory (RAPL, Linux). Whatever the counted part draws is in it, idle power and that
of other processes too; the idle power is measured and stated beside it.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

POWERCAP = Path("/sys/class/powercap")
IDLE_S = 1.0
# beginnings of names; `core` and `uncore` are parts of a package, `psys` holds all
COUNTED = ("package", "dram")
_UUID_PREFIX = "GPU-"


@dataclass(frozen=True)
class Counter:
    """A counter that only grows, but for falling to 0 after its highest value.

    Attributes:
        read: its value now.
        joules: of one step.
        highest: None where it does not overflow.
    """

    read: Callable[[], int]
    joules: float
    highest: int | None = None

    def since(self, before: int, now: int) -> float:
        """Joules between two readings, with one overflow at most between them."""
        steps = now - before
        if steps < 0 and self.highest is not None:
            steps += self.highest
        return max(steps, 0) * self.joules


@dataclass(frozen=True)
class Source:
    """Where energy is read: `counters` are disjoint parts; without any, `reason` says why."""

    name: str
    counters: tuple[Counter, ...]
    reason: str = ""


@dataclass(frozen=True)
class Energy:
    """What some pieces of work took.

    Attributes:
        source: whose energy it is, "" where none could be read.
        reason: why not.
        joules: of every piece, idle power included, None without a source.
        seconds: of all pieces.
        idle_w: mean power just before, while this process waited.
    """

    source: str
    reason: str
    joules: tuple[float, ...] | None
    seconds: float
    idle_w: float | None


class EnergyMeter:
    """Measures the idle power when made, then every piece of work up to its `lap`.

    Args:
        source: of the counters; one that cannot be read while measuring ends the measurement with a reason.
        idle_s: seconds to wait for the idle power; not waited for without a source.
    """

    def __init__(self, source: Source, idle_s: float = IDLE_S) -> None:
        self._source, self._laps, self._idle_w = source, list[float](), None
        self._values, self._begun_s = self._read(), time.perf_counter()
        if self._source.counters and idle_s > 0:
            time.sleep(idle_s)
            self._idle_w = self._passed() / (time.perf_counter() - self._begun_s)
            self._begun_s = time.perf_counter()

    def lap(self) -> None:
        """The end of a piece of work; often enough that no counter overflows twice (a minute is)."""
        if self._source.counters:
            self._laps.append(self._passed())

    def seen(self) -> Energy:
        """All laps."""
        source = self._source
        return Energy(
            source=source.name if source.counters else "",
            reason=source.reason,
            joules=tuple(self._laps) if source.counters else None,
            seconds=time.perf_counter() - self._begun_s,
            idle_w=self._idle_w if source.counters else None,
        )

    def _passed(self) -> float:
        before, self._values = self._values, self._read()
        pairs = zip(self._source.counters, before, self._values, strict=False)  # none left after an error
        return sum(counter.since(a, b) for counter, a, b in pairs)

    def _read(self) -> list[int]:
        try:
            return [counter.read() for counter in self._source.counters]
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self._source = Source(self._source.name, (), f"{self._source.name} cannot be read: {why}")
            return []


def source_of(device: str, powercap: Path = POWERCAP) -> Source:
    """The counters of a device, `cpu` or `cuda`."""
    return board() if device == "cuda" else packages(powercap)


def packages(powercap: Path) -> Source:
    """RAPL's processor packages and their memory, below a powercap tree."""
    name = "RAPL, processor packages and memory"
    counters = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        try:
            part = (folder / "name").read_text(encoding="ascii").strip()
            if part.startswith(COUNTED):
                counters.append(_package(folder))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "no number"
            return Source(name, (), f"RAPL's counter {folder.name} cannot be read: {why}")
    return Source(name, tuple(counters), "" if counters else "no RAPL counters (Linux, powercap)")


def _package(folder: Path) -> Counter:
    file = folder / "energy_uj"

    def read() -> int:
        return int(file.read_text(encoding="ascii"))

    read()
    return Counter(read, 1e-6, int((folder / "max_energy_range_uj").read_text(encoding="ascii")))


def board() -> Source:
    """NVML's counter of the board that torch uses."""
    try:
        return board_of(ctypes.CDLL("libnvidia-ml.so.1"), _uuid())
    except (OSError, AttributeError):  # no driver, or one without these calls
        return Source("NVML, graphics board", (), "no driver that counts energy")


def _uuid() -> str:
    uuid = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
    return uuid if uuid.startswith(_UUID_PREFIX) else f"{_UUID_PREFIX}{uuid}"


def board_of(driver: ctypes.CDLL, uuid: str) -> Source:
    """The counter of the board with an id.

    Raises:
        AttributeError: the driver does not know a call.
    """
    name, handle, value = "NVML, graphics board", ctypes.c_void_p(), ctypes.c_ulonglong()

    def read() -> int:
        code = driver.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(value))
        if code:
            raise OSError(code, f"NVML's error {code}")
        return value.value

    found: Sequence[Callable[[], int]] = (
        driver.nvmlInit_v2,
        lambda: int(driver.nvmlDeviceGetHandleByUUID(uuid.encode("ascii"), ctypes.byref(handle))),
    )
    for call in found:
        if code := call():
            return Source(name, (), f"NVML does not tell of this board: error {code}")
    try:
        read()
    except OSError as error:
        return Source(name, (), f"the board does not count energy: {error.strerror}")
    return Source(name, (Counter(read, 1e-3),))
