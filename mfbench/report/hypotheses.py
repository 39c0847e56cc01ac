"""What each claim says, as hypotheses that a study can decide.

A claim is supported when all of its hypotheses are, and refuted when one of them is. Margins are measured on
a pilot before the run (`bench.pilot`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from mfbench.report.estimates import Estimates, Key
from mfbench.report.load import Study

HEADLINE = "kavd_lite"
MUTUAL, TEACHER, RIVAL = "MutualForcing", "TeacherForcing", "SelfForcing"
FEW_STEPS = (4, 8)
MANY_STEPS = 50
DISTILLED = ("DMDTF", "ShortCutTF", "SelfForcing")
ABLATIONS = {
    "real-history": "the few-step history",
    "without-ShortCut": "the ShortCut term",
    "without-DMD": "the DMD term",
    "two-networks": "the sharing of weights",
}
FIXED_LENGTH = "fixed-length"
CHEAPER = "MutualForcing-budget-half"
DRIFTS = ("drift_colour", "drift_identity", "drift_sync", "drift_loudness")
COSTS = {
    "train_network_evaluations": "fewer network evaluations",
    "train_flops": "fewer FLOPs",
    "train_seconds": "fewer seconds",
    "train_peak_memory_mb": "less peak memory",
    "train_networks": "fewer networks held",
}
FLAT = 1.1  # a chunk may take a tenth longer late in the rollout

CLAIMS = {
    "C1": "few steps keep the quality of 50-step sampling",
    "C2": "a better few-step learner at equal steps and training cost",
    "C3": "less drift than distilled rivals over a long horizon",
    "C4": "Self-Forcing's quality for less training",
    "C5": "training on flexible lengths does no harm",
    "C6": "every part of mutual forcing is needed",
    "C7": "real time in few steps at a width where many steps are too slow",
}


@dataclass(frozen=True)
class Hypothesis:
    """`candidate` against `rival` on one metric, or against `bound` where there is no rival.

    Attributes:
        kind: `non-inferior` (not worse by the margin), `superior`, `less drift` (superior in the distance
            from the slope of real clips), `cheaper` (a ratio of costs below the bound), `below` or `above`
            the bound.
    """

    claim: str
    text: str
    kind: Literal["non-inferior", "superior", "less drift", "cheaper", "below", "above"]
    candidate: Key
    rival: Key | None
    metric: str
    bound: float = 0.0


def hypotheses(claim: str, study: Study, estimates: Estimates) -> tuple[Hypothesis, ...]:
    """All hypotheses of a claim; those about methods that the study lacks stay, and stay undecided."""
    made: dict[str, Callable[[Study, Estimates], Iterator[Hypothesis]]] = {
        "C1": _few_step_quality,
        "C2": _better_learner,
        "C3": _long_horizon,
        "C4": _training_cost,
        "C5": _flexible_length,
        "C6": _mutuality,
        "C7": _speed,
    }
    return tuple(made[claim](study, estimates))


def _few_step_quality(study: Study, estimates: Estimates) -> Iterator[Hypothesis]:
    for rival in (_best(study, estimates, TEACHER), _best(study, estimates, "Bidirectional")):
        for steps in FEW_STEPS:
            for metric in (HEADLINE, "sync_corr", "per"):
                text = f"at {steps} steps is not worse than {rival} at {MANY_STEPS}"
                key = (rival, MANY_STEPS)
                yield Hypothesis("C1", text, "non-inferior", (MUTUAL, steps), key, metric)


def _best(study: Study, estimates: Estimates, name: str) -> str:
    """The variant of a sampler (with or without guidance) with the best headline at its many steps."""
    values = {
        method: float(found.value or 0.0)
        for method in study.methods
        if method == name or method.startswith(f"{name}-CFG")
        if (found := estimates.get(method, MANY_STEPS, HEADLINE)) is not None
    }
    return min(values, key=lambda method: (values[method], method)) if values else name


def _better_learner(*_: object) -> Iterator[Hypothesis]:
    for rival in DISTILLED:
        for steps in FEW_STEPS:
            text = f"is better than {rival} at {steps} steps"
            yield Hypothesis("C2", text, "superior", (MUTUAL, steps), (rival, steps), HEADLINE)


def _long_horizon(*_: object) -> Iterator[Hypothesis]:
    steps = FEW_STEPS[0]
    for rival in DISTILLED:
        for metric in DRIFTS:
            text = f"is nearer to the drift of real clips than {rival} at {steps} steps"
            yield Hypothesis("C3", text, "less drift", (MUTUAL, steps), (rival, steps), metric)


def _training_cost(*_: object) -> Iterator[Hypothesis]:
    steps = FEW_STEPS[0]
    cheap, rival = (CHEAPER, steps), (RIVAL, steps)
    text = f"is not worse than {RIVAL} at {steps} steps"
    yield Hypothesis("C4", text, "non-inferior", cheap, rival, HEADLINE)
    for currency, words in COSTS.items():
        yield Hypothesis("C4", f"costs {words} than {RIVAL}", "cheaper", cheap, rival, currency, 1.0)


def _flexible_length(*_: object) -> Iterator[Hypothesis]:
    for steps in FEW_STEPS:
        text = f"is not worse than training on whole clips only, at {steps} steps"
        rival = (FIXED_LENGTH, steps)
        yield Hypothesis("C5", text, "non-inferior", (MUTUAL, steps), rival, HEADLINE)


def _mutuality(*_: object) -> Iterator[Hypothesis]:
    steps = FEW_STEPS[0]
    for rival, part in ABLATIONS.items():
        text = f"is better than without {part} at {steps} steps"
        yield Hypothesis("C6", text, "superior", (MUTUAL, steps), (rival, steps), HEADLINE)


def _speed(*_: object) -> Iterator[Hypothesis]:
    slow, fast = (TEACHER, MANY_STEPS), (MUTUAL, FEW_STEPS[0])
    premise = f"at {MANY_STEPS} steps is slower than real time at this width"
    yield Hypothesis("C7", premise, "above", slow, None, "wide_rtf", 1.0)
    at = f"at {FEW_STEPS[0]} steps"
    yield Hypothesis("C7", f"{at} is faster than real time", "below", fast, None, "wide_rtf", 1.0)
    first = f"{at} shows its first chunk within a chunk's duration"
    yield Hypothesis("C7", first, "below", fast, None, "wide_ttfc_chunks", 1.0)
    flat = f"{at} takes no longer per chunk late in the rollout (at most {FLAT} times)"
    yield Hypothesis("C7", flat, "below", fast, None, "wide_latency_growth", FLAT)
