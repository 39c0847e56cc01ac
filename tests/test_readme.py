"""What the README shows works as it stands there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch

from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.registry import METHODS
from mfbench.types import AVBatch
from tests.conftest import make_network

README = Path(__file__).parents[1] / "README.md"


def test_the_method_of_the_readme_is_a_method(
    clip_spec: ClipSpec, batch: AVBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "my_method.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("my_method", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "my_method", module)
    try:
        spec.loader.exec_module(module)
        networks = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
        made = METHODS.build({"type": "NoisyHistory", "networks": networks})
    finally:
        METHODS.module_dict.pop("NoisyHistory", None)
    assert isinstance(made, Method)
    loss = made.loss(batch, 0, torch.Generator().manual_seed(0)).losses["generator"]
    loss.backward()
    assert bool(torch.isfinite(loss))
    assert any(p.grad is not None and bool(p.grad.any()) for p in made.student.parameters())
    assert made.sampler(4).steps == 4


def test_it_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150
