"""How numbers and metrics are written on the page: arrows, decimals, resolved names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from mfbench.report.explained import EXPLAINED

WIDE = "wide_"  # timings of a larger network

Better = bool | None  # a record's `higher_is_better`
_ARROWS: dict[Better, str] = {True: "↑", False: "↓", None: "≈"}
_DIRECTIONS: dict[Better, str] = {
    True: "higher is better",
    False: "lower is better",
    None: "closer to real is better",
}
_SI = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def arrow(better: Better) -> str:
    """Direction of better: up, down, or neither."""
    return _ARROWS[better]


def direction(better: Better) -> str:
    """The arrow in words."""
    return _DIRECTIONS[better]


def explain(metric: str) -> str:
    """One line about a metric; percentiles and windows share the line of their stem."""
    stem = re.sub(r"_(p\d+|slope|excess|end)$", "", metric)
    if metric.startswith(WIDE):
        plain = explain(metric.removeprefix(WIDE))
        return f"{plain}; for the larger network of `suite.timing.wide`" if plain else ""
    return EXPLAINED.get(metric) or EXPLAINED.get(stem, "")


def resolve(metric: str, known: Iterable[str]) -> str | None:
    """A metric's recorded name: itself, or its median where only percentiles are recorded."""
    names = set(known)
    return next((name for name in (metric, f"{metric}_p50") if name in names), None)


def pick(wanted: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The wanted metrics that were recorded, in the wanted order."""
    names = tuple(known)
    return tuple(dict.fromkeys(found for name in wanted if (found := resolve(name, names))))


def decimals(values: Iterable[float]) -> int:
    """Decimals for a column: three significant digits for a value between its median and its largest."""
    sizes = sorted(abs(value) for value in values if value and math.isfinite(value))
    if not sizes:
        return 0
    middle = math.sqrt(sizes[len(sizes) // 2] * sizes[-1])
    if all(size == int(size) for size in sizes):
        return 0
    return min(max(2 - math.floor(math.log10(middle)), 0), 6)


def number(value: float, places: int) -> str:
    """A number with fixed decimals, or with an SI letter where it is long; minus is a real minus sign."""
    if abs(value) >= 1e5:
        return compact(value)
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def compact(value: float) -> str:
    """Three significant digits and, from 10 000, an SI letter."""
    scale, letter = next(((scale, letter) for scale, letter in _SI if abs(value) >= scale), (1.0, ""))
    scale, letter = (scale, letter) if abs(value) >= 1e4 else (1.0, "")
    text = f"{value / scale:.3g}" if abs(value / scale) < 1000 else f"{value / scale:.0f}"
    return f"{text}{letter}".replace("-", "\N{MINUS SIGN}")


def p_value(p: float) -> str:
    """A p-value, short."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
