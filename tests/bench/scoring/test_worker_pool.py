"""Workers die and hang without taking others with them."""

from __future__ import annotations

import os
import signal
import time

import pytest

from mfbench.bench.scoring.pool import Pool


def nothing() -> object:
    return None


def broken_setup() -> object:
    raise OSError("no judges")


def deadly_setup() -> object:
    os._exit(7)


def work(state: object, task: str) -> str:
    assert state is None
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "hang":
        time.sleep(60)
    if task == "grow":
        return str(len(bytearray(os.urandom(2**20)) * 200))
    if task == "raise":
        raise ValueError("of the task")
    return task.upper()


def lost(task: str, why: str) -> str:
    return f"{task}: {why}"


def pool(workers: int, timeout_s: float = 30.0) -> Pool[str, str]:
    return Pool(nothing, work, lost, workers=workers, timeout_s=timeout_s)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_costs_its_task_only(workers: int) -> None:
    with pool(workers) as several:
        found = list(several.run(["a", "die", "b", "die", "c"]))
    assert [text.partition(":")[0] for text in found] == ["A", "die", "B", "die", "C"]
    assert found[1] == "die: the process that read it died (-9)"


def test_results_are_told_as_they_land_and_losses_are_not() -> None:
    landed: dict[int, str] = {}
    with pool(1) as one:
        found = one.run(["a", "die", "b"], landed.__setitem__)
        assert next(found) == "A"
        assert landed == {0: "A"}
        assert list(found)[1] == "B"
    assert landed == {0: "A", 2: "B"}  # what died may do better another time


def test_a_hang_costs_its_task_only() -> None:
    with pool(2, timeout_s=1.5) as several:
        found = list(several.run(["hang", "a", "b", "c"]))
    assert found == ["hang: it took longer than 2 s", "A", "B", "C"]


def test_a_pool_runs_again_with_the_same_workers() -> None:
    with pool(1) as one:
        assert list(one.run(["a"])) == ["A"]
        first = one.workers[0].process.pid
        assert list(one.run(["b", "c"])) == ["B", "C"]
        assert one.workers[0].process.pid == first
    assert one.workers == []


def test_a_worker_that_died_while_idle_costs_nothing() -> None:
    with pool(1) as one:
        assert list(one.run(["a"])) == ["A"]
        one.workers[0].process.kill()
        one.workers[0].process.join()
        assert list(one.run(["b", "c"])) == ["B", "C"]


def test_a_worker_has_a_size_of_its_own_whatever_its_parent_had() -> None:
    """`getrusage` gives a child the size of the process that started it."""
    ballast = bytearray(os.urandom(2**20)) * 600
    with pool(1) as small:
        assert list(small.run(["a"])) == ["A"]
    assert small.peak_mb is not None
    assert small.peak_mb < len(ballast) / 2**20
    with pool(1) as grown:
        assert list(grown.run(["grow"])) == [str(200 * 2**20)]
    assert grown.peak_mb is not None
    assert grown.peak_mb == pytest.approx(small.peak_mb + 200, rel=0.1)
    assert pool(1).peak_mb is None


def test_exceptions_of_a_task_and_of_the_setup_come_out() -> None:
    with pool(1) as one, pytest.raises(ValueError, match="of the task"):
        list(one.run(["raise"]))
    broken: Pool[str, str] = Pool(broken_setup, work, lost, workers=1, timeout_s=5)
    with broken, pytest.raises(OSError, match="no judges"):
        list(broken.run(["a"]))
    deadly: Pool[str, str] = Pool(deadly_setup, work, lost, workers=1, timeout_s=5)
    with deadly, pytest.raises(RuntimeError, match="could not start"):
        list(deadly.run(["a"]))
