"""Verdicts on the claims of a study, with everything that a reader needs to check them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from mfbench.report import names
from mfbench.report.compare import ALPHA
from mfbench.report.document import Block, Bullets, Column, Note, Section, Table, Text, Value
from mfbench.report.effects import Effect, effect_of
from mfbench.report.estimates import Estimates
from mfbench.report.few_trainings import Compound
from mfbench.report.hypotheses import CLAIMS, HEADLINE, Hypothesis, hypotheses
from mfbench.report.load import Study
from mfbench.report.statistics import holm

AGAINST_BOUND = ("below", "above", "cheaper")
ORDER = (
    ("SelfForcing", 4),
    ("TeacherForcing", 50),
    ("DiffusionForcing", 50),
    ("CausVid", 4),
    ("DMDTF", 4),
)
PAPER = (
    ("LSE-C at 4 / 8 network calls", "5.26 / 6.35"),
    ("WER at 4 / 8 network calls", "0.23 / 0.11"),
    ("frames per second at 192x336 / 480x768 / 704x1280, one GPU", "30 / 12 / 3.5"),
)


@dataclass(frozen=True)
class Row:
    """One hypothesis of `claims.json`.

    Attributes:
        statistic: what `estimate` is; a positive difference speaks against the hypothesis.
        margin: of non-inferiority, or the bound of a speed or of a ratio of costs.
        train_seeds: trainings behind the candidate; a speed is timed on one.
        p: one-sided, for the hypothesis, after Holm's correction over all hypotheses of the page.
        minimum_detectable: effect found with 80 % power at 5 % two-sided, before that correction.
        n: prompts times sampling seeds behind the candidate.
    """

    claim: str
    hypothesis: str
    statistic: str
    margin: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    verdict: str
    minimum_detectable: float | None
    n: int | None
    train_seeds: int


def rows(study: Study, estimates: Estimates) -> tuple[Row, ...]:
    """A row per hypothesis of the claims that the experiment asks for."""
    asked = [h for claim in study.report.get("claims") or () for h in hypotheses(claim, study, estimates)]
    margins = dict(study.settings.get("margins") or {})
    effects = [effect_of(h, study, estimates) for h in asked]
    tests = [_tests(h, e, margins.get(h.metric)) for h, e in zip(asked, effects, strict=True)]
    known = [index for index, test in enumerate(tests) if test is not None]
    adjusted = {}
    for side in (0, 1):
        p = holm(np.array([tests[index][side] for index in known]))  # type: ignore[index]
        adjusted[side] = dict(zip(known, p.tolist(), strict=True))
    made = []
    for index, (h, effect) in enumerate(zip(asked, effects, strict=True)):
        p_for, p_against = adjusted[0].get(index), adjusted[1].get(index)
        made.append(_row(h, effect, margins.get(h.metric), p_for, p_against, study, estimates))
    return tuple(made)


def _tests(h: Hypothesis, effect: Effect | None, margin: float | None) -> tuple[float, float] | None:
    """One-sided p for the hypothesis and against it (two one-sided tests at the margin)."""
    if effect is None or (margin is None and h.kind == "non-inferior"):
        return None
    measured = effect.measured
    if measured.error == 0 and isinstance(measured, Compound):  # clips without spread say nothing
        return None
    if h.kind in AGAINST_BOUND:
        below = measured.p_below(h.bound)
        return (1 - below, below) if h.kind == "above" else (below, 1 - below)
    if h.kind == "non-inferior":
        below = measured.p_below(margin or 0.0)
        return below, 1 - below
    return measured.p_below(0.0), 1 - measured.p_below(-(margin or 0.0))


def _row(
    h: Hypothesis,
    effect: Effect | None,
    margin: float | None,
    p_for: float | None,
    p_against: float | None,
    study: Study,
    estimates: Estimates,
) -> Row:
    candidate = estimates.get(*h.candidate, h.metric)
    band = effect.interval if effect else None
    verdict = "undecided"
    if p_for is not None and p_for < ALPHA:
        verdict = "supported"
    elif p_against is not None and p_against < ALPHA:
        verdict = "refuted"
    return Row(
        claim=h.claim,
        hypothesis=f"{h.candidate[0]} {h.text}, {h.metric}",
        statistic=_statistic(h),
        margin=h.bound if h.kind in AGAINST_BOUND else margin,
        estimate=effect.measured.value if effect else None,
        ci_low=band.low if band else None,
        ci_high=band.high if band else None,
        p=p_for,
        verdict=verdict,
        minimum_detectable=effect.measured.minimum_detectable if effect else None,
        n=candidate.n if candidate else None,
        train_seeds=len({c.train_seed for c in study.of(*h.candidate)}) if h.rival else 1,
    )


def _statistic(h: Hypothesis) -> str:
    if h.kind == "cheaper":
        return f"ratio of {h.metric}, ancestors included, below {h.bound:g}"
    return f"{h.kind}: how much worse in {h.metric}" if h.rival else f"{h.kind} {h.bound:g}: {h.metric}"


def verdict(found: list[Row]) -> str:
    """Of a claim: refuted by one refuted hypothesis, supported by all of them."""
    verdicts = {row.verdict for row in found}
    if "refuted" in verdicts:
        return "refuted"
    return "supported" if verdicts == {"supported"} else "undecided"


def text(found: tuple[Row, ...]) -> str:
    """`claims.json`, a list of rows; 8 significant digits, as in the tables."""
    content = [{k: _rounded(v) for k, v in asdict(row).items()} for row in found]
    return json.dumps(content, indent=1) + "\n"


def _rounded(value: object) -> object:
    return float(f"{value:.8g}") if isinstance(value, float) else value


def section(estimates: Estimates, found: tuple[Row, ...]) -> Section:
    """The page of claims: verdicts, hypotheses, the paper's numbers, the order of the literature."""
    by_claim = {claim: [row for row in found if row.claim == claim] for claim in CLAIMS}
    answers = [f"**{c}: {verdict(r)}**: {CLAIMS[c]}." for c, r in by_claim.items() if r]
    heads = ("hypothesis", "worse by", "margin", "p", "verdict", "detectable", "n, training seeds")
    columns = tuple(Column(head, numeric=index > 0) for index, head in enumerate(heads))
    groups = tuple((f"{c}: {CLAIMS[c]}", tuple(_fields(row) for row in r)) for c, r in by_claim.items() if r)
    blocks: list[Block] = [
        Bullets(tuple(answers)),
        Text(
            "A positive difference speaks against the hypothesis. Supported or refuted needs a one-sided "
            "p < 0.05 after Holm's correction over all hypotheses of this page; non-inferiority is tested "
            "at the margin from both sides, superiority is refuted where an advantage of the size of the "
            "margin is excluded. Intervals and p of qualities widen each level of sampling (trainings, "
            "prompts) by Student's t with its own degrees of freedom, because three trainings say little "
            "about how much trainings differ. A speed is compared with its bound over rollouts, a ratio of "
            "costs over trainings; exact counts have p 0 or 1. Detectable: the effect found with 80 % power "
            "at 5 %, uncorrected."
        ),
        Table(columns, groups),
        _literature(estimates),
        Text("Reported by the paper for its 14B model, on other data: quoted, not compared."),
        Table(
            (Column("paper (arXiv 2604.25819, from a third party's review)", numeric=False), Column("value")),
            (("", tuple((Value(name), Value(value)) for name, value in PAPER)),),
        ),
    ]
    return Section("claims", "Claims", tuple(blocks))


def _fields(row: Row) -> tuple[Value, ...]:
    numbers = [v for v in (row.estimate, row.margin, row.minimum_detectable) if v is not None]
    places = names.decimals(numbers) if numbers else 3

    def text(value: float | None) -> str:
        return "–" if value is None else names.number(value, places)

    band = "" if row.ci_low is None or row.ci_high is None else f"[{text(row.ci_low)}, {text(row.ci_high)}]"
    sentence, _, metric = row.hypothesis.rpartition(", ")
    return (
        Value(sentence, metric),
        Value(text(row.estimate), band),
        Value(text(row.margin)),
        Value("–" if row.p is None else names.p_value(row.p)),
        Value(row.verdict, best=row.verdict != "undecided"),
        Value(text(row.minimum_detectable)),
        Value("–" if row.n is None else f"{row.n}, {row.train_seeds}"),
    )


def _literature(estimates: Estimates) -> Block:
    """Agreement with the order of Self-Forcing's chunk-wise ablation, counted over pairs."""
    found = [(key, float(e.value or 0.0)) for key in ORDER if (e := estimates.get(*key, HEADLINE))]
    pairs = [(a, b) for i, (_, a) in enumerate(found) for _, b in found[i + 1 :]]
    if not pairs:
        return Note("The order of the literature is not shown: none of its pairs was measured.")
    agree = sum(a < b for a, b in pairs)
    order = " > ".join(f"{method} at {steps}" for (method, steps), _ in found)
    return Text(
        f"Order in Self-Forcing's ablation (VBench, Wan 1.3B): {order}. Of its {len(pairs)} pairs {agree} "
        f"have the same order here in `{HEADLINE}`."
    )
