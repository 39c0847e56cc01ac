from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mfbench import cli
from mfbench.bench import stage
from mfbench.bench.judging import kit
from mfbench.registry import METHODS, METRICS, WORLDS
from mfbench.sources import find_module

HERE = Path(__file__).parent
EXPERIMENT = """
custom_imports = dict(imports=["toys"])
world = dict(type="ToyWorld")
budget = dict(batch_size=2, toy_steps=3, toy_pretrain_steps=3, toy_child_steps=3)
methods = [
    dict(type="ToyMethod"),
    dict(type="ToyMethod", name="Guided", guidance=2.0),
    dict(type="ToyChild"),
]
axes = dict(steps=[1, 4, 16], train_seed=[0], sample_seed=[0, 1])
suite = dict(metrics=["ToyMetric"], prompts=4)
report = dict(baseline="ToyMethod@4")
"""

Write = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]
Toy = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def judges(tmp_path_factory: pytest.TempPathFactory) -> kit.Kit:
    """Fitted on few clips, once per test run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit, "FITTED_ON", 24)
        return kit.load_or_fit(tmp_path_factory.mktemp("judges"))


def _forget_toys() -> None:
    """No other test may meet what an experiment with toys has imported and registered."""
    for registry in (METHODS, METRICS, WORLDS):
        for name in [name for name in registry.module_dict if name.startswith("Toy")]:
            del registry.module_dict[name]
    for name in [name for name in sys.modules if name.split(".")[0] in ("toys", "broken_method")]:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write an experiment, with (old, new) replacements."""

    def written(*replacements: tuple[str, str], name: str = "toy.py") -> Path:
        text = EXPERIMENT
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path

    yield written
    _forget_toys()


def _hear_interrupts() -> None:
    """A shell's background job, and what it starts, ignores SIGINT; these processes are to hear it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the toy command line in the test's folder."""

    def started(*arguments: object, pause_s: float = 0.0) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "toys.drive", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HERE), "TOY_PAUSE_S": str(pause_s)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            preexec_fn=_hear_interrupts,
        )

    return started


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as a toy command line, and as it was before."""
    for kind in stage.BODIES:
        monkeypatch.setitem(stage.BODIES, kind, "toys.bodies")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    find_module.cache_clear()
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)
    find_module.cache_clear()
    _forget_toys()


@pytest.fixture
def toy(start: Start, inside: None, capsys: pytest.CaptureFixture[str]) -> Toy:
    """Run the toy command line to its end: here, or as a process where a run starts processes itself."""

    def ran(*arguments: object, pause_s: float = 0.0) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in arguments]
        if words[0] == "run" and "in-process" not in words:
            process = start(*arguments, pause_s=pause_s)
            out, err = process.communicate(timeout=240)
            return subprocess.CompletedProcess(words, process.returncode, out, err)
        capsys.readouterr()
        status = cli.main(words)
        captured = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, captured.out, captured.err)

    return ran
