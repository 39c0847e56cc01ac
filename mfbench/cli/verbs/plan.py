"""Show what a run would do: cells, what is cached, what would run and why, and a time estimate."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from mfbench.cli.output import add_experiment_arguments, say, table

if TYPE_CHECKING:
    from mfbench.bench.plan import Plan
    from mfbench.bench.run import Options
    from mfbench.bench.select import Selection
    from mfbench.bench.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    add_experiment_arguments(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")


def execute(arguments: argparse.Namespace) -> int:
    """Plan and print."""
    from mfbench.bench.collect import stale
    from mfbench.bench.run import planned
    from mfbench.cli import request

    options = request.options(arguments)
    made, collector, selection = planned(request.experiment(arguments), options)
    facts = _facts(made, collector.store, selection, options)
    facts["stale"] = stale(made, collector.store, list(made.stages))
    say(json.dumps(facts, indent=1) if getattr(arguments, "json", False) else _text(facts))
    return 0


def _facts(made: Plan, store: Store, selection: Selection, options: Options) -> dict[str, Any]:
    from mfbench.bench import estimate
    from mfbench.bench.why import Reasons
    from mfbench.provenance import cores

    todo = set(selection.todo)
    seconds = estimate.seconds(made, store, selection.todo)
    reasons = Reasons(store)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in selection.cells:
        key = (cell.method, "" if cell.steps is None else str(cell.steps))
        new = {"method": key[0], "steps": key[1], "cells": 0, "done": 0, "off_design": cell.off_design}
        row = rows.setdefault(key, new)
        row["cells"] += 1
        row["done"] += cell.name in selection.done or not todo.intersection(cell.stages.values())
    stages = [
        {
            "stage": made.stages[id_].label,
            "id": id_,
            "why": reasons.why(made.stages[id_]),
            "seconds": round(seconds[id_], 1),
        }
        for id_ in selection.todo
    ]
    behind = made.needed([id_ for cell in selection.cells for id_ in cell.stages.values()], lambda _: False)
    exclusive = sum(seconds[id_] for id_ in todo if made.stages[id_].kind == "time")
    slots = options.slots or cores()
    wall_s = exclusive + (sum(seconds.values()) - exclusive) / slots + (estimate.START_S if todo else 0.0)
    return {
        "experiment": made.experiment.name,
        "cells": list(rows.values()),
        "stages": stages,
        "cached": len(behind) - len(todo),
        "skipped": [{"cell": item.cell, "reason": item.reason} for item in made.skipped],
        "estimate_s": round(wall_s, 1),
    }


def _text(facts: dict[str, Any]) -> str:
    from mfbench.bench.progress import clock

    cells = [
        (
            row["method"],
            row["steps"],
            row["cells"],
            row["done"],
            row["cells"] - row["done"],
            "off-design" if row["off_design"] else "",
        )
        for row in facts["cells"]
    ]
    parts = [table(("method", "steps", "cells", "cached", "to run", "note"), cells)]
    groups: dict[tuple[str, str], list[float]] = {}
    for stage in facts["stages"]:
        kind, _, what = stage["stage"].partition(" ")
        name = f"{kind} {what.partition('@')[0]}"
        groups.setdefault((name, stage["why"]), []).append(stage["seconds"])
    rows = [(name, len(took), clock(sum(took)), why) for (name, why), took in groups.items()]
    if rows:
        parts.append(table(("to run", "stages", "about", "why"), rows))
    if facts["skipped"]:
        parts.append("skipped:\n" + "\n".join(f"  {s['cell']}: {s['reason']}" for s in facts["skipped"]))
    if facts["stale"]:
        names = ", ".join(facts["stale"][:6]) + (" ..." if len(facts["stale"]) > 6 else "")
        parts.append(
            f"warning: {len(facts['stale'])} finished stages were made by other source than today's "
            f"({names}); --strict-code makes them anew"
        )
    parts.append(
        f"{len(facts['stages'])} stages to run, {facts['cached']} cached; about {clock(facts['estimate_s'])}"
    )
    return "\n\n".join(parts)
