"""The readers pass on real clips, and fail where the clips are said to be something else, or are nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mfbench.bench.judging.check import Check
from mfbench.bench.judging.kit import Kit
from mfbench.bench.judging.reader_checks import KEPT, LEAST, MOST, no_faces, readings, without_face
from mfbench.bench.judging.takes import Takes, real_takes, view
from mfbench.character.identity import IDENTITIES
from mfbench.character.voices import VOICES
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers import pixels

CLIPS = 8
OF_VOICE = ("f0_rmse_st of real clips", "voices named right")


@pytest.fixture(scope="module")
def takes() -> Takes:
    return real_takes(CLIPS, 2.56)


@pytest.fixture(scope="module")
def seen(judges: Kit, takes: Takes) -> Observation:
    return view(judges, takes.pictures(), takes.sound())


def checked(judges: Kit, takes: Takes, seen: Observation) -> dict[str, Check]:
    found = list(readings(judges, takes, seen))
    assert len({check.check for check in found}) == len(found)
    return {check.check: check for check in found}


def test_real_clips_are_read_rightly(judges: Kit, takes: Takes, seen: Observation) -> None:
    found = checked(judges, takes, seen)
    assert {f"{name} of real clips" for name in (*LEAST, *MOST)} < set(found)
    few = {"per of real clips", "wer_lite of real clips"}  # judges of few clips hear worse
    assert [name for name, check in found.items() if not check.passed and name not in few] == []


def test_another_voice_is_noticed(judges: Kit, takes: Takes, seen: Observation) -> None:
    other = replace(takes, voice=(takes.voice + 4) % len(VOICES))
    found = checked(judges, other, seen)
    assert [name for name in OF_VOICE if found[name].passed] == []
    assert found["AUC of the voice that speaks against all others"].value < 0.9
    assert found["id_sim_lite of real clips"].passed


def test_another_face_is_noticed(judges: Kit, takes: Takes, seen: Observation) -> None:
    other = replace(takes, identity=np.array((takes.identity + 1) % len(IDENTITIES)))
    found = checked(judges, other, seen)
    assert not found["id_sim_lite of real clips"].passed
    assert not found["attr_acc of real clips"].passed
    assert all(found[name].passed for name in OF_VOICE)


def faceless(judges: Kit, takes: Takes) -> dict[str, Check]:
    found = list(no_faces(judges, takes))
    assert len({check.check for check in found}) == len(found)
    return {check.check: check for check in found}


def test_nothing_passes_for_a_face_and_faces_still_do(judges: Kit, takes: Takes) -> None:
    found = faceless(judges, takes)
    kinds = [name for name, _ in without_face(takes)]
    asked = ("black", "dark (8)", "dark (16)", "grey (60)", "grey (128)", "white", "uniform noise")
    assert set(asked) < set(kinds)
    assert [check.check for check in found.values() if check.bound == "at most" and not check.passed] == []
    assert sum(check.bound == "at most" for check in found.values()) == 3 * len(kinds)
    assert sum(check.bound == "at least" for check in found.values()) == 2 * len(KEPT)
    assert found["real takes: share of frames that are a drawn face"].passed
    assert found["real takes: share of frames that show a mouth"].passed


def test_readers_that_take_darkness_for_a_face_are_noticed(
    judges: Kit, takes: Takes, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = faceless(judges, takes)
    monkeypatch.setattr(pixels, "_LEAST_STRENGTH", -1e9)
    monkeypatch.setattr(pixels, "_LEAST_MOUTH", -1e9)
    found = faceless(judges, takes)
    for name in ("black", "dark (8)", "dark (16)", "faint noise on black", "a face at 5% of its brightness"):
        own = [check for check in found.values() if check.check.startswith(f"{name}: ")]
        assert [check.passed for check in own] == [False] * 3, name
    faces = [name for name, check in careful.items() if check.bound == "at least"]
    assert [careful[name].value for name in faces] == [found[name].value for name in faces]
