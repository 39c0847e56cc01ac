from __future__ import annotations

from typing import Any

import pytest

from mfbench.bench.record import RecordError
from mfbench.report.extras import extras


def content(**metrics: dict[str, Any]) -> dict[str, Any]:
    return {"metrics": metrics, "codec_floor": {}, "drift": {"per": {"window_mid_s": [1], "values": [0.5]}}}


def test_a_curve_over_time_becomes_drift_and_one_over_steps_a_training_curve() -> None:
    time = {"x": [1.0, 2.0], "y": [0.1, 0.2], "x_label": "time [s]"}
    loss = {"x": [10, 20], "y": [1.5, 1.0], "x_label": "optimiser step"}
    found = extras(content(sync={"kind": "quality", "curve": time}, loss={"kind": "cost", "curve": loss}))
    assert found["drift"]["sync"] == {"window_mid_s": [1.0, 2.0], "values": [0.1, 0.2], "per_clip": None}
    assert found["curves"] == {"loss": [[10, 1.5], [20, 1.0]]}
    assert "codec_floor" not in found


def test_the_record_itself_wins_over_a_metrics_curve() -> None:
    curve = {"x": [1.0], "y": [9.0]}
    assert extras(content(per={"kind": "quality", "curve": curve}))["drift"]["per"]["values"] == [0.5]


def test_a_lame_curve_is_an_error() -> None:
    with pytest.raises(RecordError, match="2 places and 1 values"):
        extras(content(x={"kind": "quality", "curve": {"x": [1, 2], "y": [1]}}))
