"""Users whom the system does not know, as containers have them."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mfbench.processes import settle_user

ROOT = Path(__file__).parent.parent
UNKNOWN = 54321
NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME", "MPLCONFIGDIR", "XDG_CACHE_HOME", "TRITON_CACHE_DIR")


def _nobody() -> str:
    raise KeyError("getpwuid(): uid not found")


def test_a_known_user_with_a_home_is_left_as_he_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = dict(os.environ)
    settle_user()
    assert dict(os.environ) == before


@pytest.mark.parametrize("home", ["", "none", "file"])
def test_a_user_without_name_and_home_gets_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setattr(getpass, "getuser", _nobody)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home) if home else "/nonexistent")
    settle_user()
    assert os.environ["LOGNAME"] == f"uid{os.getuid()}"
    kept = Path(os.environ["HOME"])
    assert kept == tmp_path / f"mfbench-{os.getuid()}"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert Path(os.environ["MPLCONFIGDIR"]).parent == kept


def test_a_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"mfbench-{os.getuid()}").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", "/nonexistent")
    for name in NAMES[4:]:
        monkeypatch.delenv(name, raising=False)
    settle_user()
    assert Path(os.environ["HOME"]).name.startswith("mfbench-")
    assert not Path(os.environ["HOME"]).is_symlink()
    assert not list((tmp_path / "theirs").iterdir())


def as_unknown(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command by a user without passwd entry, name and home, who may read all and write in `folder`."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    folder.chmod(0o777)
    rights = "+dac_read_search"  # the interpreter may lie in a home of root
    user = ["setpriv", f"--reuid={UNKNOWN}", f"--regid={UNKNOWN}", "--clear-groups"]
    user += [f"--inh-caps={rights}", f"--ambient-caps={rights}"]
    keep = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*user, sys.executable, *command], cwd=folder, env=keep, capture_output=True, text=True, timeout=280
    )


def test_torch_and_figures_work_for_an_unknown_user(tmp_path: Path) -> None:
    """What stages import; each of these asked the system for the user's name."""
    code = (
        "from mfbench.processes import settle_user; settle_user()\n"
        "import torch, matplotlib.font_manager, mmengine.runner\n"
        "from torch._inductor.runtime.cache_dir_utils import cache_dir; print(cache_dir())\n"
    )
    plain = as_unknown(tmp_path, "-c", code.replace("; settle_user()", ""))
    assert "uid not found" in plain.stderr or "no username set" in plain.stderr.lower()
    done = as_unknown(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_and_a_score_for_an_unknown_user(tmp_path: Path) -> None:
    smoke = str(ROOT / "experiments" / "smoke.py")
    done = as_unknown(tmp_path, "-m", "mfbench", "run", smoke, "--only", "TeacherForcing@2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reports" / "smoke" / "index.html").is_file()
    assert as_unknown(tmp_path, "-m", "mfbench", "data", "preview", "--out", "films").returncode == 0
    done = as_unknown(tmp_path, "-m", "mfbench", "score", "films")
    assert done.returncode == 0, done.stdout + done.stderr
