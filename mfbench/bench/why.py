"""Why a stage has to run: never made, failed, or something behind it changed."""

from __future__ import annotations

import json
from typing import Any

from mfbench.bench.stage import Stage
from mfbench.bench.store import Store


class Reasons:
    """Compares stages to run with finished ones of the same label."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._earlier: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for path in store.root.glob("stages/*/*/spec.json"):
            written = json.loads(path.read_text(encoding="utf-8"))
            self._earlier.setdefault((written["spec"]["kind"], written["label"]), []).append(written["spec"])

    def why(self, stage: Stage) -> str:
        """One phrase."""
        failure = self.store.failure(stage.id)
        if failure is not None:
            return (
                f"failed before: {failure.type}: {failure.message.splitlines()[0] if failure.message else ''}"
            )
        earlier = self._earlier.get((stage.kind, stage.label), [])
        if not earlier:
            return "not made yet"
        return min((_changes(old, stage.spec.to_json()) for old in earlier), key=len)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> str:
    parts = [name for name in ("component", "version", "code") if old[name] != new[name]]
    parts += _differing("", old["fields"], new["fields"])
    parts += [f"its {role}" for role in new["parents"] if old["parents"].get(role) != new["parents"][role]]
    return f"changed: {', '.join(parts)}"


def _differing(prefix: str, old: object, new: object) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted({*old, *new})
        return [
            found for name in names for found in _differing(f"{prefix}{name}.", old.get(name), new.get(name))
        ]
    return [] if old == new else [prefix.rstrip(".")]
