from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mfbench import cli
from mfbench.metrics.full.vggish_net import VGGishNetwork
from mfbench.metrics.full.weights import digest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def vggish(tmp_path):
    """A folder with weights and a weights.yaml that names them rightly."""
    torch.save(VGGishNetwork(hidden=8).state_dict(), tmp_path / "vggish.pth")
    write(tmp_path, digest(tmp_path / "vggish.pth"))
    return tmp_path


def write(folder: Path, sha256: str, more: str = "") -> None:
    text = f"vggish: {{path: vggish.pth, sha256: '{sha256}'}}\n{more}"
    (folder / "weights.yaml").write_text(text)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["doctor", *arguments])
    return code, capsys.readouterr().out


def facts(capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[int, dict, dict[str, str]]:
    code, text = doctor(capsys, "--weights", str(folder / "weights.yaml"), "--json")
    found = json.loads(text)
    return code, found, {f["key"]: f["weights"] for item in found["adapters"] for f in item["files"]}


def test_without_weights_it_lists_everything_and_imports_no_model():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mfbench", "doctor", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time" in line}
    assert "json" in modules
    assert not {"torch", "transformers", "open_clip", "onnxruntime", "jiwer", "mmengine"} & modules
    found = json.loads(done.stdout)
    names = {item["name"]: item for item in found["adapters"]}
    assert set(names) == {"syncnet", "i3d", "clip", "dinov2", "whisper", "vggish", "arcface"}
    assert "lse_c" in names["syncnet"]["metrics"]
    assert {f["weights"] for item in names.values() for f in item["files"]} == {"not given"}
    assert {item["name"]: item["state"] for item in found["later"]} == dict.fromkeys(
        ("synchformer", "vbench"), "place kept, not yet available"
    )


def test_the_text_has_licences_packages_and_the_way_to_the_weights(capsys, monkeypatch):
    monkeypatch.setattr("mfbench.metrics.full.packages.installed", lambda package: package != "open_clip")
    code, text = doctor(capsys)
    assert code == 0
    assert "open_clip (pip install 'mfbench[full]')" in text
    assert "onnxruntime (installed)" in text
    assert "weights non-commercial research only (InsightFace)" in text
    assert "download_model.sh" in text
    assert "desync, desync_cont, desync_win (place kept, not yet available)" in text


def test_usable_weights_are_loaded_and_give_0(capsys, vggish):
    code, found, states = facts(capsys, vggish)
    assert code == 0
    assert states == {key: "usable" if key == "vggish" else "not given" for key in states}
    assert found["problems"] == {}


def test_a_wrong_digest_a_missing_and_a_foreign_file_give_1(capsys, vggish):
    write(vggish, "0" * 64)
    code, _, states = facts(capsys, vggish)
    assert code == 1
    assert "expected 000" in states["vggish"]
    (vggish / "vggish.pth").unlink()
    code, _, states = facts(capsys, vggish)
    assert code == 1
    assert "there is no" in states["vggish"]
    torch.save({"a": torch.zeros(1)}, vggish / "vggish.pth")
    write(vggish, digest(vggish / "vggish.pth"))
    code, _, states = facts(capsys, vggish)
    assert code == 1
    assert "is no VGGish" in states["vggish"]


def test_a_wrong_entry_does_not_hide_the_others(capsys, vggish):
    write(vggish, digest(vggish / "vggish.pth"), "sincnet: {path: a, sha256: b}\nclip: {path: a}\n")
    code, found, states = facts(capsys, vggish)
    assert code == 1
    assert states["vggish"] == "usable"
    assert "wanted {path: FILE" in states["clip"]
    assert "did you mean syncnet" in found["problems"]["sincnet"]
    code, text = doctor(capsys, "--weights", str(vggish / "weights.yaml"))
    assert code == 1
    assert "problem: weights.yaml names 'sincnet'" in text
    assert text.count("clip: {'path': 'a'}") == 1


def test_a_missing_weights_yaml_is_a_usage_error(capsys, tmp_path):
    assert cli.main(["doctor", "--weights", str(tmp_path / "none.yaml")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_digest_prints_what_weights_yaml_wants(capsys, vggish):
    assert doctor(capsys, "--digest", str(vggish / "vggish.pth")) == (0, digest(vggish / "vggish.pth") + "\n")
    assert cli.main(["doctor", "--digest", str(vggish / "none")]) == 2
