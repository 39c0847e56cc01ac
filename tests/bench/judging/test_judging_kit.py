"""Judges are fitted once per content; the controls know their metrics and which way is better."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import pytest

from mfbench.bench.judging import controls, kit
from mfbench.metrics.base import Metric, MetricResult, Prompts
from mfbench.registry import METRICS


class FewReaders:
    """Stands for fitted readers."""

    fitted = 0

    def save(self, path: Path) -> None:
        path.write_bytes(b"judges")

    @classmethod
    def load(cls, path: Path) -> Self:
        assert path.read_bytes() == b"judges"
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
