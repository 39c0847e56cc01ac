from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from full_world import dinov2_folder, i3d_file, vggish_file

from mfbench.errors import UsageError
from mfbench.metrics.full import ADAPTERS, LATER, adapter
from mfbench.metrics.full.base import Adapter, ClipReading
from mfbench.metrics.full.loading import load_script, load_state
from mfbench.metrics.full.packages import PackageMissingError, installed, require
from mfbench.metrics.full.weights import (
    WeightsError,
    digest,
    given,
    known_files,
    open_adapter,
    read_weights,
)

SHA = "0" * 64


def written(folder: Path, text: str) -> Path:
    (folder / "weights.yaml").write_text(text)
    return folder / "weights.yaml"


def test_a_file_is_found_beside_weights_yaml_and_its_adapter_loads(tmp_path):
    (tmp_path / "models").mkdir()
    sha = digest(vggish_file(tmp_path / "models"))
    file = written(tmp_path, f"vggish: {{path: models/vggish.pth, sha256: {sha.upper()}}}\n")
    weights = read_weights(file)
    assert weights["vggish"].path == tmp_path / "models" / "vggish.pth"
    assert open_adapter("vggish", weights).name == "vggish"
    assert os.environ.get("HF_HUB_OFFLINE") is None  # VGGish needs no hub client


def test_digest_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    assert digest(tmp_path / "a") == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()


def test_digest_of_a_folder_knows_names_and_contents_but_no_hidden_files(tmp_path):
    (tmp_path / "m" / "sub").mkdir(parents=True)
    (tmp_path / "m" / "sub" / "a").write_text("1")
    (tmp_path / "m" / "b").write_text("2")
    first = digest(tmp_path / "m")
    (tmp_path / "m" / ".cache").mkdir()
    (tmp_path / "m" / ".cache" / "note").write_text("downloaded today")
    assert digest(tmp_path / "m") == first
    (tmp_path / "m" / "b").rename(tmp_path / "m" / "c")
    renamed = digest(tmp_path / "m")
    (tmp_path / "m" / "c").write_text("3")
    assert len({first, renamed, digest(tmp_path / "m")}) == 3


def test_a_wrong_digest_names_both(tmp_path):
    sha = digest(vggish_file(tmp_path))
    weights = read_weights(written(tmp_path, f"vggish: {{path: vggish.pth, sha256: '{SHA}'}}\n"))
    with pytest.raises(WeightsError, match=rf"has sha256 {sha}, expected {SHA}"):
        open_adapter("vggish", weights)


def test_a_missing_file_is_named(tmp_path):
    weights = read_weights(written(tmp_path, f"vggish: {{path: gone.pth, sha256: '{SHA}'}}\n"))
    with pytest.raises(WeightsError, match=r"vggish: there is no .*gone\.pth"):
        open_adapter("vggish", weights)
    with pytest.raises(WeightsError, match="i3d needs i3d in weights"):
        open_adapter("i3d", weights)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vgish: {path: a, sha256: b}", "'vgish', which no adapter knows; did you mean vggish"),
        ("vggish: {path: a}", r"vggish: \{'path': 'a'\}; wanted"),
        ("vggish: a.pth", "vggish: 'a.pth'; wanted"),
        ("vggish: {path: a, sha256: abc}", "sha256 is 'abc'; wanted 64 hexadecimal digits"),
        (
            f"vggish: {{path: 'https://somewhere/a.pth', sha256: '{SHA}'}}",
            "is an address; mfbench fetches nothing",
        ),
        (f"vggish: {{path: 'hf-hub:some/model', sha256: '{SHA}'}}", "is an address"),
        (f"vggish: {{path: a, sha256: '{SHA}', model: b}}", "unknown model; an entry may have path, sha256"),
        ("- vggish", "wanted a map of KEY"),
        ("", "wanted a map of KEY"),
        ("a: [", "is no YAML"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(tmp_path, text, words):
    with pytest.raises(WeightsError, match=words):
        read_weights(written(tmp_path, text))


def test_a_missing_weights_yaml_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot read .*No such file"):
        read_weights(tmp_path / "weights.yaml")


def test_options_reach_the_entry(tmp_path):
    entry = {"path": "~/a", "sha256": SHA, "model": "ViT-L-14"}
    found = given("clip", entry, tmp_path)
    assert found.options == {"model": "ViT-L-14"}
    assert found.path == Path("~/a").expanduser()


class Trap:
    """Runs when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["syncnet", "vggish", "clip"])
def test_pickled_objects_are_refused_and_never_run(tmp_path, name):
    torch.save({"features.0.weight": Trap(tmp_path / "ran")}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match=r"cannot be read as weights .*pickled objects are refused"):
        adapter(name).load({name: tmp_path / "trap.pth"})
    (tmp_path / "raw.pth").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        load_state(tmp_path / "raw.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["syncnet", "vggish", "i3d", "clip", "arcface", "dinov2", "whisper"])
def test_damaged_files_are_refused(tmp_path, name):
    (tmp_path / "file").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(WeightsError, match="file"):
        adapter(name).load({name: tmp_path / "file"})


def test_cut_off_files_are_refused(tmp_path):
    for path, load in (
        (vggish_file(tmp_path), load_state),
        (i3d_file(tmp_path), lambda p: load_script(p, "cpu")),
    ):
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(WeightsError, match=path.name):
            load(path)
    (tmp_path / "x.safetensors").write_bytes(b"short")
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        load_state(tmp_path / "x.safetensors")


def test_other_data_than_tensors_is_refused(tmp_path):
    torch.save({"a": 1}, tmp_path / "a.pth")
    torch.save([torch.zeros(1)], tmp_path / "b.pth")
    for name, kind in (("a.pth", "dict"), ("b.pth", "list")):
        with pytest.raises(WeightsError, match=f"holds a {kind}, not names and tensors"):
            load_state(tmp_path / name)
    with pytest.raises(WeightsError, match="no TorchScript archive"):
        load_script(tmp_path / "a.pth", "cpu")


def test_folders_with_pickles_or_without_parameters_are_refused(tmp_path):
    folder = dinov2_folder(tmp_path / "whole")
    state = load_state(folder / "model.safetensors")
    from safetensors.torch import save_file

    del state["layernorm.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 1 parameters, such as layernorm\.weight"):
        adapter("dinov2").load({"dinov2": folder})
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"no \.safetensors file; pickled weights .* are refused"):
        adapter("dinov2").load({"dinov2": folder})
    with pytest.raises(WeightsError, match="is no folder"):
        adapter("dinov2").load({"dinov2": tmp_path / "nowhere"})


def test_missing_packages_are_named_with_what_brings_them():
    assert not installed("no_such_package")
    with pytest.raises(PackageMissingError, match=r"clip needs the package no_such_package.*mfbench\[full\]"):
        require("no_such_package", "clip")


def test_hub_clients_are_told_that_there_is_no_network():
    require("jiwer", "whisper")
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"


def test_adapters_are_well_formed_and_no_name_is_taken_twice():
    kinds = {name: adapter(name) for name in ADAPTERS}
    for name, kind in kinds.items():
        assert issubclass(kind, Adapter)
        assert kind.name == name
        assert kind.protocol
        assert kind.__doc__
    names = [metric for kind in kinds.values() for metric in kind.names()]
    names += [metric for group in LATER.values() for metric in group]
    assert len(names) == len(set(names))
    assert len(known_files()) == sum(len(kind.weight_files) for kind in kinds.values())
    assert all(file.code_licence and file.weights_licence and file.how for file in known_files().values())
    assert adapter("syncnet").names(set_metrics=True) == ("lse_c_null",)
    assert "lse_c_null" not in adapter("syncnet").names(set_metrics=False)
    with pytest.raises(UsageError, match="did you mean vggish"):
        adapter("vgish")


def test_a_reading_knows_only_its_own_metrics():
    reading = ClipReading({"a": 1.0}, not_applicable={"b": "why"})
    assert (reading.status("a"), reading.status("b")) == ("ok", "not_applicable")
    with pytest.raises(KeyError, match="without 'c'"):
        reading.status("c")
