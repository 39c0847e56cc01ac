from __future__ import annotations

import pytest

from mfbench.report import names


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (0.01234, "0.0123"), (-1.5, "−1.5"), (1240.0, "1240"), (25_000, "25k"), (3.4e14, "340T")],
)
def test_compact(value: float, expected: str) -> None:
    assert names.compact(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 2, 300], 0), ([0.123, 0.5], 3), ([12.3, 4.5, 80], 1), ([], 0), ([1e-9], 6)]
)
def test_decimals_follow_the_column(values: list[float], expected: int) -> None:
    assert names.decimals(values) == expected


def test_numbers_have_no_negative_zero_and_a_real_minus() -> None:
    assert names.number(-0.001, 2) == "0.00"
    assert names.number(-0.126, 2) == "−0.13"
    assert names.number(2.5e6, 1) == "2.5M"


def test_percentiles_resolve_to_the_median() -> None:
    assert names.resolve("chunk_latency_ms", ["chunk_latency_ms_p50", "chunk_latency_ms_p95"]) == (
        "chunk_latency_ms_p50"
    )
    assert names.resolve("rtf", ["fps"]) is None
    assert names.explain("chunk_latency_ms_p95") == names.explain("chunk_latency_ms")


def test_a_timing_of_the_larger_network_says_so() -> None:
    plain, wide = names.explain("rtf"), names.explain("wide_rtf")
    assert wide.startswith(plain)
    assert "larger network" in wide
    assert names.explain("wide_unheard_of") == ""
