"""Energy counters: a made powercap tree, a made driver, overflow, and what is said where nothing counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.bench import energy
from mfbench.bench.energy import Counter, EnergyMeter, Source, board_of, packages, source_of

TREE = {
    "intel-rapl": (None, None),
    "intel-rapl:0": ("package-0", 900_000_000),
    "intel-rapl:0:0": ("core", 400_000_000),
    "intel-rapl:0:1": ("dram", 70_000_000),
    "intel-rapl:1": ("package-1", 100_000_000),
    "intel-rapl:2": ("psys", 2_000_000_000),
}
HIGHEST = 1_000_000_000


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    for folder, (name, value) in TREE.items():
        (tmp_path / folder).mkdir()
        if name is not None:
            (tmp_path / folder / "name").write_text(f"{name}\n")
            (tmp_path / folder / "energy_uj").write_text(f"{value}\n")
            (tmp_path / folder / "max_energy_range_uj").write_text(f"{HIGHEST}\n")
    return tmp_path


def add(powercap: Path, folder: str, joules: float) -> None:
    file = powercap / folder / "energy_uj"
    file.write_text(str((int(file.read_text()) + round(joules * 1e6)) % HIGHEST))


def test_packages_and_memory_count_and_their_parts_do_not(powercap: Path) -> None:
    meter = EnergyMeter(source_of("cpu", powercap), idle_s=0)
    for folder in TREE:
        if folder != "intel-rapl":
            add(powercap, folder, 5)
    meter.lap()
    add(powercap, "intel-rapl:1", 2.5)
    meter.lap()
    seen = meter.seen()
    assert seen.joules == pytest.approx((15, 2.5))
    assert (seen.source, seen.reason) == ("RAPL, processor packages and memory", "")
    assert seen.idle_w is None


def test_a_counter_may_overflow_within_a_lap(powercap: Path) -> None:
    meter = EnergyMeter(packages(powercap), idle_s=0)
    add(powercap, "intel-rapl:0", 250)  # from 900 J over 1000 J to 150 J
    assert int((powercap / "intel-rapl:0" / "energy_uj").read_text()) == 150_000_000
    meter.lap()
    assert meter.seen().joules == pytest.approx((250,))


@given(before=st.integers(0, 10**6), passed=st.integers(0, 10**6 - 1))
def test_any_overflow(before: int, passed: int) -> None:
    counter = Counter(lambda: 0, 0.5, 10**6)
    assert counter.since(before, (before + passed) % 10**6) == pytest.approx(passed / 2)


def test_a_counter_that_has_no_highest_value_never_gives_energy_back() -> None:
    assert Counter(lambda: 0, 1.0).since(7, 3) == 0
    assert Counter(lambda: 0, 1.0).since(3, 7) == 4


def test_the_idle_power_is_measured_before_and_is_no_part_of_a_lap(
    powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [50.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        add(powercap, "intel-rapl:1", 12 * seconds)

    monkeypatch.setattr(energy.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(energy.time, "sleep", sleep)
    meter = EnergyMeter(packages(powercap), idle_s=2.0)
    now[0] += 3.0
    add(powercap, "intel-rapl:1", 90)
    meter.lap()
    seen = meter.seen()
    assert seen.idle_w == pytest.approx(12)
    assert seen.joules == pytest.approx((90,))
    assert seen.seconds == pytest.approx(3)


@pytest.mark.parametrize("content", [None, "many"])
def test_counters_that_cannot_be_read(powercap: Path, content: str | None) -> None:
    file = powercap / "intel-rapl:1" / "energy_uj"
    file.unlink() if content is None else file.write_text(content)
    seen = EnergyMeter(packages(powercap)).seen()
    assert seen.joules is None
    assert seen.reason.startswith("RAPL's counter intel-rapl:1 cannot be read: ")
    assert str(powercap) not in seen.reason


def test_a_counter_that_goes_away_ends_the_measurement(powercap: Path) -> None:
    meter = EnergyMeter(packages(powercap), idle_s=0)
    meter.lap()
    (powercap / "intel-rapl:0" / "energy_uj").unlink()
    meter.lap()
    meter.lap()
    seen = meter.seen()
    assert (seen.source, seen.joules, seen.idle_w) == ("", None, None)
    assert "RAPL, processor packages and memory cannot be read: No such file" in seen.reason


def test_without_counters_nothing_is_waited_for(tmp_path: Path) -> None:
    began = time.perf_counter()
    seen = EnergyMeter(source_of("cpu", tmp_path), idle_s=30.0).seen()
    assert time.perf_counter() - began < 10
    assert (seen.source, seen.joules) == ("", None)
    assert seen.reason == "no RAPL counters (Linux, powercap)"


def driver(read: Callable[[int], int], handle: int = 0) -> Any:
    """Calls of NVML: `read` gives millijoules by the number of the call, or a negative error."""
    calls = [0]

    def consumption(_: object, out: Any) -> int:
        calls[0] += 1
        found = read(calls[0])
        out._obj.value = max(found, 0)
        return max(-found, 0)

    def by_uuid(uuid: bytes, _: object) -> int:
        assert uuid == b"GPU-7"
        return handle

    return SimpleNamespace(
        nvmlInit_v2=lambda: 0,
        nvmlDeviceGetHandleByUUID=by_uuid,
        nvmlDeviceGetTotalEnergyConsumption=consumption,
    )


def test_the_board_counts_millijoules() -> None:
    source = board_of(driver(lambda call: 10**12 + 1500 * call), "GPU-7")
    meter = EnergyMeter(source, idle_s=0)
    meter.lap()
    meter.lap()
    seen = meter.seen()
    assert seen.source == "NVML, graphics board"
    assert seen.joules == pytest.approx((1.5, 1.5))


def test_boards_that_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert board_of(driver(lambda _: -3), "GPU-7").reason == "the board does not count energy: NVML's error 3"
    assert board_of(driver(lambda _: 1, handle=6), "GPU-7").reason.endswith("of this board: error 6")
    with pytest.raises(AttributeError):
        board_of(SimpleNamespace(nvmlInit_v2=lambda: 0), "GPU-7")  # type: ignore[arg-type]

    def no_driver(_: str) -> Any:
        raise OSError("no such library")

    monkeypatch.setattr(energy.ctypes, "CDLL", no_driver)
    assert source_of("cuda") == Source("NVML, graphics board", (), "no driver that counts energy")
