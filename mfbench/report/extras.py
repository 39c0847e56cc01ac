"""The facts of a record that are not one number: drift over time, training curves, codec floors, costs.

They stand at the top of a record (`record.EXTRAS`), or as a metric's own `curve` {x, y, x_label}.
"""

from __future__ import annotations

from typing import Any

from mfbench.bench import record

TRAINING_KINDS = ("cost", "timing")


def extras(content: dict[str, Any]) -> dict[str, Any]:
    """Extras of a record by name; a metric's curve becomes a training curve or a drift over time.

    What the record states at its top wins over a metric's curve of the same name.
    """
    found: dict[str, Any] = {name: content[name] for name in record.EXTRAS if content.get(name)}
    for name, entry in sorted(content["metrics"].items()):
        curve = entry.get("curve")
        if curve:
            kind, made = _converted(curve, str(entry["kind"]))
            found[kind] = {name: made, **found.get(kind, {})}
    return found


def _converted(curve: dict[str, Any], kind: str) -> tuple[str, Any]:
    """A curve over optimiser steps as [[x, y], ...], one over time as windows."""
    x, y = list(curve["x"]), list(curve["y"])
    if len(x) != len(y):
        raise record.RecordError(f"a curve has {len(x)} places and {len(y)} values; they must be as many")
    if kind in TRAINING_KINDS or "optim" in str(curve.get("x_label", "")):
        return "curves", [list(point) for point in zip(x, y, strict=True)]
    return "drift", {"window_mid_s": x, "values": y, "per_clip": curve.get("per_clip")}
