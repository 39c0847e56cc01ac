"""Judges are fitted once per content; the controls know their metrics and which way is better."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import pytest

from mfbench.bench.judging import controls, kit
from mfbench.bench.scoring import world_reference
from mfbench.errors import UsageError
from mfbench.metrics.base import Metric, MetricResult, Prompts
from mfbench.registry import METRICS


class FewReaders:
    """Stands for fitted readers."""

    fitted = 0

    def save(self, path: Path) -> None:
        path.write_bytes(b"judges")

    @classmethod
    def load(cls, path: Path) -> Self:
        if path.read_bytes() != b"judges":
            raise ValueError("no judges")
        return cls()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fitting that only counts how often it happens."""
    fitted: list[int] = []

    def fit(takes: list[object]) -> FewReaders:
        fitted.append(len(takes))
        return FewReaders()

    monkeypatch.setattr(kit, "Readers", FewReaders)
    monkeypatch.setattr(kit, "_fit", fit)
    monkeypatch.setattr(kit, "FITTED_ON", 2)
    monkeypatch.setattr(kit, "SECONDS", 1.28)
    return fitted


def test_damaged_judges_are_fitted_anew_with_a_word(tmp_path: Path, quick: list[int]) -> None:
    said: list[str] = []
    first = kit.load_or_fit(tmp_path)
    first.path.write_bytes(b"jud")
    assert kit.load_or_fit(tmp_path, said.append).digest == first.digest
    assert quick == [2, 2]
    assert "is damaged (ValueError: no judges)" in said[0]
    assert first.path.read_bytes() == b"judges"


def test_a_cache_that_cannot_be_written_is_named_before_the_fitting(quick: list[int]) -> None:
    with pytest.raises(UsageError, match="--cache /proc/nowhere cannot be written"):
        kit.load_or_fit(Path("/proc/nowhere"))
    assert not quick


def test_reference_clips_that_are_missing_are_written_and_no_others(
    tmp_path: Path, quick: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def write(path: Path, split: str, index: int) -> None:
        path.write_text(f"{split} {index}")
        written.append(path.name)

    monkeypatch.setattr(world_reference, "CLIPS", 3)
    monkeypatch.setattr(world_reference, "write_real", write)
    made = kit.load_or_fit(tmp_path)
    folder = world_reference.world_reference(made)
    assert written == ["0000.mp4", "0001.mp4", "0002.mp4"]
    (folder / "0001.mp4").unlink()  # as a kill, or another command at work, leaves it
    assert world_reference.world_reference(made) == folder
    assert written[3:] == ["0001.mp4"]
    assert world_reference.world_reference(made) == folder
    assert len(written) == 4


def test_judges_are_fitted_once_and_kept_by_content(
    tmp_path: Path, quick: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first = kit.load_or_fit(tmp_path / "new", said.append)
    again = kit.load_or_fit(tmp_path / "new", said.append)
    assert quick == [2]
    assert len(said) == 1
    assert "2 real training clips" in said[0]
    assert (first.digest, first.path) == (again.digest, again.path)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"judges-{first.digest}.npz"]
    assert len(first.digest) == 16
    monkeypatch.setattr(kit, "FITTED_ON", 3)
    other = kit.load_or_fit(tmp_path / "new")
    assert quick == [2, 3]
    assert other.digest != first.digest


def test_other_source_is_another_judge(
    tmp_path: Path, quick: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kit.load_or_fit(tmp_path)
    monkeypatch.setattr(kit.Code, "digest", lambda *arguments: "changed")
    assert kit.load_or_fit(tmp_path).digest != first.digest
    assert quick == [2, 2]


def named() -> dict[str, set[str]]:
    """Metrics of the controls."""
    return {
        **{control: set(names) for control, names in controls.SEES.items()},
        "ramp": set(controls.LONG_SEES),
        "above codec": set(controls.ABOVE_CODEC),
    }


def test_the_controls_name_metrics_that_exist_and_have_a_direction() -> None:
    for control, names in named().items():
        for name in names:
            metric = METRICS.build({"type": name})
            assert (metric.higher_is_better is None) == (control == "ramp"), (control, name)


def test_whatever_shuffling_changes_is_asked_of_the_shuffled_control() -> None:
    sees = {
        name
        for name in METRICS.names()
        if (metric := METRICS.get(name)).null_by_shuffling and metric.higher_is_better is not None
    }
    same = {name for name in sees if "voice" in METRICS.get(name).needs}  # strangers share it
    assert set(controls.SEES["shuffled"]) == {name for name in sees - same if not name.startswith("full_")}


def result(value: float | None) -> MetricResult:
    return MetricResult(value, 1, 1.0, "not_applicable" if value is None else "ok", [value])


@pytest.mark.parametrize(
    ("higher_is_better", "one", "other", "wanted"),
    [
        (True, 0.9, 0.4, 0.5),
        (True, 0.4, 0.9, -0.5),
        (False, 3.0, 10.0, 7.0),
        (False, 10.0, 3.0, -7.0),
        (True, 0.9, None, np.inf),
        (True, None, 0.4, np.nan),
        (False, None, None, np.nan),
    ],
)
def test_better_in_the_direction_of_the_metric(
    higher_is_better: bool,
    one: float | None,
    other: float | None,
    wanted: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fixed(Metric):
        def scores(self, candidate: object, reference: object, prompts: Prompts) -> object:
            raise NotImplementedError

        def compute(self, candidate: object, reference: object, prompts: Prompts) -> MetricResult:
            return result(candidate)

    Fixed.higher_is_better = higher_is_better

    class Registry:
        @staticmethod
        def build(wanted: dict[str, str]) -> Metric:
            assert wanted == {"type": "toy"}
            return Fixed()

    monkeypatch.setattr(controls, "METRICS", Registry)
    made = controls.Controls({"real": one, "codec": other}, None, None)
    assert controls._better(made, "toy", "real", "codec") == pytest.approx(wanted, nan_ok=True)
