"""One row of `judge.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """A measured property of a judge against the value that is required of it.

    Attributes:
        bound: where the value must lie from the required one; "info" requires nothing.
    """

    check: str
    value: float
    required: float | None
    bound: Literal["at least", "at most", "above", "info"]

    @property
    def passed(self) -> bool:
        """Whether the requirement holds; nan meets none."""
        if self.required is None:
            return True
        if self.bound == "at most":
            return self.value <= self.required
        return self.value > self.required if self.bound == "above" else self.value >= self.required

    def to_json(self) -> dict[str, object]:
        """`{check, value, required, pass}`, `bound` beside them."""
        finite = self.value == self.value and abs(self.value) != float("inf")
        return {
            "check": self.check,
            "value": float(f"{self.value:.6g}") if finite else None,
            "required": self.required,
            "bound": self.bound,
            "pass": self.passed,
        }


def at_least(check: str, value: float, required: float) -> Check:
    """A value that must not be smaller."""
    return Check(check, value, required, "at least")


def at_most(check: str, value: float, required: float) -> Check:
    """A value that must not be larger."""
    return Check(check, value, required, "at most")


def above(check: str, value: float, required: float) -> Check:
    """A value that must be larger."""
    return Check(check, value, required, "above")


def info(check: str, value: float) -> Check:
    """A value to know."""
    return Check(check, value, None, "info")
