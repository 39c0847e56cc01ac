"""The section that asks of every method: is it better than the checkpoint that it started from?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfbench.report.compare import Baseline, Comparison, verdict
from mfbench.report.document import Block, Note, Section, Text
from mfbench.report.estimates import Difference, Estimates, difference
from mfbench.report.headline import comparison_table
from mfbench.report.load import Study
from mfbench.report.statistics import holm

LEAD = (
    "Each method against the checkpoint that it started from, at equal steps and at the steps that it was "
    "made for; corrected by Holm over the page, metric by metric."
)


def starts(study: Study, estimates: Estimates, metrics: Sequence[str]) -> Section | None:
    """The first metric decides; None where no start was sampled too."""
    begun = {m: s for m, s in dict(study.settings.get("starts") or {}).items() if s in study.methods}
    made = [c for metric in metrics for c in _compared(study, estimates, begun, metric)]
    if not made:
        return None
    listed = "; ".join(f"{method} from {start}" for method, start in begun.items())
    blocks: list[Block] = [Text(LEAD), Text(f"{listed}."), comparison_table(study, made, metrics)]
    won = {c.difference.method for c in made if c.difference.metric == metrics[0] and c.better == "yes"}
    lost = [m for m in begun if m not in won and any(c.difference.method == m for c in made)]
    if lost:
        words = f"No improvement on the start in `{metrics[0]}` at any of these steps: {', '.join(lost)}."
        blocks.append(Note(words, warning=True))
    return Section("starts", "Against the initial checkpoint", tuple(blocks))


def _compared(study: Study, estimates: Estimates, begun: dict[str, str], metric: str) -> list[Comparison]:
    skipped = set(study.settings.get("off_design") or ())
    found: list[Difference] = []
    for method, start in begun.items():
        for steps in study.steps:
            candidate, baseline = (estimates.get(name, steps, metric) for name in (method, start))
            if candidate and baseline and f"{method}@{steps}" not in skipped:
                item = difference(candidate, baseline)
                found += [item] if item else []
    adjusted = holm(np.array([item.p for item in found]))
    return [
        Comparison(item, float(p), verdict(item, float(p)), Baseline(item.baseline, None))
        for item, p in zip(found, adjusted, strict=True)
    ]
