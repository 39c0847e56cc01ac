"""The whole examination of the judges, in the order of its report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from mfbench.bench.judging import controls, nuisances, reader_checks, sync_checks
from mfbench.bench.judging.check import Check
from mfbench.bench.judging.kit import Kit
from mfbench.bench.judging.takes import real_takes, view

CLIPS = 32
NUISANCE_CLIPS = 12
SECONDS = 5.12


def sections(kit: Kit) -> Iterator[tuple[str, Callable[[], Iterator[Check]]]]:
    """Headings and what is checked under them."""
    takes, few = real_takes(CLIPS, SECONDS), real_takes(NUISANCE_CLIPS, SECONDS)
    seen = view(kit, takes.pictures(), takes.sound())
    known = sync_checks.anchors(kit, takes, seen)
    yield "offset recovery", lambda: sync_checks.offset_recovery(kit, takes, seen)
    yield "discrimination", lambda: sync_checks.discrimination(kit, takes, seen)
    yield "dose and response", lambda: sync_checks.dose_response(kit, takes, seen)
    yield "nuisances", lambda: nuisances.invariance(kit, few, known)
    yield "floors", lambda: nuisances.floors(kit, takes, known)
    yield "a mouth that always oscillates", lambda: nuisances.oscillating_mouth(kit, takes, known)
    yield "readers of the character", lambda: reader_checks.readings(kit, takes, seen)
    yield "what is no face", lambda: reader_checks.no_faces(kit, few)
    yield "six controls", lambda: controls.checks(kit)
    yield "length of a clip", lambda: sync_checks.window_lengths(kit)


def card(checks: list[Check]) -> str:
    """`judge.json`: `{check, value, required, bound, pass}` rows."""
    return json.dumps([check.to_json() for check in checks], indent=1) + "\n"
