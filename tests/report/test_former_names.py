"""Old records under new names."""

from __future__ import annotations

import pytest

from mfbench.registry import METRICS
from mfbench.report.former_names import FORMER, under_names_of_today

ENTRY = {"value": 2e9, "unit": "FLOP per media s", "n": 1, "per_clip": None}
WINDOWS = {"window_mid_s": [2.5], "values": [-20.0], "per_clip": [[-20.0]]}


def test_metrics_are_found_under_the_names_of_today() -> None:
    former = ("audio_rms", "nfe", "flops_per_media_s", "wide_flops_per_media_s", "per")
    written = {"metrics": dict.fromkeys(former, ENTRY), "drift": {"audio_rms": WINDOWS, "per": WINDOWS}}
    found = under_names_of_today(written)
    rated = ("tflops_per_media_s", "wide_tflops_per_media_s")
    assert set(found["metrics"]) == {"loudness_db", "nfe_per_chunk", "per", *rated}
    for name in ("loudness_db", "nfe_per_chunk", "per"):
        assert found["metrics"][name] == ENTRY
    for name in rated:
        assert found["metrics"][name]["value"] == pytest.approx(2e-3)
        assert found["metrics"][name]["unit"] == "TFLOP per media s, network"
    assert found["drift"] == {"loudness_db": WINDOWS, "per": WINDOWS}


def test_a_record_of_today_stays_as_it_is() -> None:
    written = {"metrics": {"loudness_db": ENTRY, "tflops_per_media_s": ENTRY, "wide_params_m": ENTRY}}
    assert under_names_of_today(written) == written


def test_no_name_of_today_is_a_former_one() -> None:
    assert not {former.name for former in FORMER.values()} & set(FORMER)
    assert not set(METRICS.names()) & set(FORMER)
