"""Every registered metric keeps the contract, and orders real, damaged and mismatched clips rightly."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips, draw

from mfbench.metrics.base import Metric, MetricResult, Prompts, SetMetric
from mfbench.metrics.observe import Observation, Readers, concatenate, observe
from mfbench.registry import METRICS

NAMES = METRICS.names()
SET_METRICS = {name for name in NAMES if issubclass(METRICS.get(name), SetMetric)}
NEEDS = {"character", "sound", "words", "identity", "voice", "chunks", "seeds", "reference", "paired"}
Part = TypeVar("Part")
NEED_MORE = {"diversity_a", "diversity_v"} | {n for n in NAMES if n.startswith("drift_")}  # seeds or seconds
NEED_MORE |= {n for n in NAMES if "paired" in METRICS.get(n).needs}  # a true clip


def metric(name: str) -> Metric:
    built = METRICS.build({"type": name})
    assert isinstance(built, Metric)
    return built


def value(name: str, candidate: Observation, reference: Observation, prompts: Prompts) -> float:
    result = metric(name).compute(candidate, reference, prompts)
    assert result.status == "ok", (name, result)
    assert result.value is not None
    return result.value


def picked(prompts: Prompts, clips: np.ndarray) -> Prompts:
    return Prompts(
        tuple(prompts.timelines[i] for i in clips),
        prompts.voice[clips],
        prompts.identity[clips],
        prompts.prompt[clips],
        prompts.seed[clips],
    )


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str, real: Observation, reference: Observation, spoken: RealClips) -> None:
    built = metric(name)
    assert built.name == name
    assert built.version >= 1
    assert built.kind == "quality"
    assert built.higher_is_better in (True, False, None)
    assert type(built).__doc__
    result = built.compute(real, reference, spoken.prompts)
    assert len(result.per_clip) == real.clips
    if name in NEED_MORE:
        assert result == MetricResult(None, 0, 0.0, "not_applicable", [None] * real.clips)
        return
    assert (result.status, result.n, result.coverage) == ("ok", real.clips, 1.0)
    assert np.isfinite(result.value or 0.0)
    counted = [v for v in result.per_clip if v is not None]
    assert len(counted) == (0 if name in SET_METRICS else real.clips)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_metric_declares(name: str) -> None:
    built = metric(name)
    first_line = (type(built).__doc__ or "").splitlines()[0]
    assert 0 < len(first_line) <= 110
    assert built.least_clips >= 1
    assert built.least_s > 0
    assert set(built.needs) <= NEEDS
    assert len(set(built.needs)) == len(built.needs)
    low, high = (-np.inf if built.low is None else built.low), (np.inf if built.high is None else built.high)
    assert low < high
    if built.worst is not None:
        assert low <= built.worst <= high


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NEED_MORE])
def test_real_clips_lie_within_the_bounds(
    name: str, real: Observation, reference: Observation, spoken: RealClips
) -> None:
    built = metric(name)
    result = built.compute(real, reference, spoken.prompts)
    for found in [v for v in (result.value, *result.per_clip) if v is not None]:
        assert built.low is None or found >= built.low
        assert built.high is None or found <= built.high


@pytest.mark.parametrize("name", [n for n in NAMES if "character" not in METRICS.get(n).needs])
def test_what_needs_no_character_does_not_listen_to_the_readers_of_faces(
    name: str, real: Observation, reference: Observation, spoken: RealClips
) -> None:
    noise = np.random.default_rng(0)

    def scrambled(record: Part) -> Part:
        arrays = {field.name: getattr(record, field.name) for field in fields(record)}
        drawn = {
            key: noise.integers(0, 2, array.shape).astype(array.dtype)
            if array.dtype.kind in "biu"
            else noise.standard_normal(array.shape).astype(array.dtype)
            for key, array in arrays.items()
        }
        return replace(record, **drawn)

    misread = replace(
        real, face=scrambled(real.face), windows=scrambled(real.windows), judged=scrambled(real.judged)
    )
    before = metric(name).compute(real, reference, spoken.prompts)
    assert metric(name).compute(misread, reference, spoken.prompts) == before
    assert not np.array_equal(misread.face.motion, real.face.motion)


@pytest.mark.parametrize("name", NAMES)
def test_self_test(name: str) -> None:
    check = getattr(METRICS.get(name), "self_test", None)
    if check is not None:
        check()


@pytest.mark.parametrize("name", NAMES)
def test_failed_clips_are_counted_and_never_become_a_number(
    name: str, real: Observation, reference: Observation, spoken: RealClips
) -> None:
    broken = replace(real, intact=np.arange(real.clips) >= 4)
    result = metric(name).compute(broken, reference, spoken.prompts)
    assert result.per_clip[:4] == [None] * 4
    if result.status == "ok":
        assert (result.n, result.coverage) == (real.clips - 4, (real.clips - 4) / real.clips)
    nothing = metric(name).compute(
        replace(real, intact=np.zeros(real.clips, bool)), reference, spoken.prompts
    )
    assert (nothing.status, nothing.value, nothing.coverage) == ("failed_generation", None, 0.0)


@given(order=st.permutations(list(range(32))))
@settings(max_examples=5, deadline=None)
@pytest.mark.parametrize("name", [n for n in NAMES if n not in NEED_MORE])
def test_the_order_of_clips_does_not_matter(
    name: str, order: list[int], real: Observation, reference: Observation, spoken: RealClips
) -> None:
    mixed = np.array(order)
    if not name.endswith("_inf"):  # a limit needs many clips
        mixed = mixed[mixed < 12]
    straight = np.sort(mixed)
    values = [
        value(name, real.select(clips), reference, picked(spoken.prompts, clips))
        for clips in (straight, mixed)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-5)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NEED_MORE])
def test_a_resample_of_scores_is_the_metric_of_the_resampled_clips(
    name: str, real: Observation, reference: Observation, spoken: RealClips
) -> None:
    clips = np.array([0, 2, 2, 5, 7, 11, 11, 11, 20, 21, 22, 30, *range(32)])
    scores = metric(name).scores(real, reference, spoken.prompts)
    again = metric(name).scores(real.select(clips), reference, picked(spoken.prompts, clips))
    if name == "prc_recall":  # a repeated clip is another clip to the second one
        assert scores.value(clips) == scores.value(np.unique(clips))
    else:
        assert scores.value(clips) == pytest.approx(again.value(np.arange(len(clips))), abs=1e-5)


def test_unknown_prompts_are_refused(real: Observation, reference: Observation, spoken: RealClips) -> None:
    with pytest.raises(ValueError, match="32 clips and 3 prompts"):
        metric("per").compute(real, reference, picked(spoken.prompts, np.arange(3)))
    with pytest.raises(ValueError, match="one of each"):
        replace(spoken.prompts, seed=np.zeros(2, np.int64))


def test_real_clips_score_like_real_clips(
    real: Observation, reference: Observation, spoken: RealClips
) -> None:
    found = {name: value(name, real, reference, spoken.prompts) for name in NAMES if name not in NEED_MORE}
    for name in ("kavd_lite", "kvd_lite", "kad_lite"):
        assert abs(found[name]) < 0.3
    assert found["prc_recall"] > 0.6
    assert found["sync_corr"] > 0.9
    assert found["sync_c_norm"] == pytest.approx(1.0, abs=0.05)
    assert abs(found["av_offset_ms"]) < 5
    assert found["av_offset_abs_ms"] < 8
    assert found["per"] < 0.1
    assert found["wer_lite"] < 0.05
    assert found["id_sim_lite"] > 0.98
    assert found["mouth_detect_rate"] > 0.98
    assert -20 < found["loudness_db"] < -5


def test_mismatched_pairs_are_the_null(
    real: Observation, reference: Observation, spoken: RealClips, readers: Readers
) -> None:
    wrong = real.with_sound_of(np.roll(np.arange(real.clips), 1), spoken.mel, readers)
    for name in NAMES:
        if name in NEED_MORE | {"prc_recall"}:
            continue
        built, before = metric(name), value(name, real, reference, spoken.prompts)
        after = value(name, wrong, reference, spoken.prompts)
        if built.null_by_shuffling and built.higher_is_better is not None:
            assert (after > before) == (not built.higher_is_better), name
        elif not built.null_by_shuffling:
            assert after == pytest.approx(before, abs=1e-3), name
    assert value("kavd_lite", wrong, reference, spoken.prompts) > 3
    assert abs(value("sync_c_norm", wrong, reference, spoken.prompts)) < 0.15
    assert value("per", wrong, reference, spoken.prompts) > 0.6


@pytest.mark.parametrize("shift", [-4, 4, 10])
def test_injected_offsets_are_found_with_the_right_sign(
    shift: int, reference: Observation, spoken: RealClips, readers: Readers
) -> None:
    moved = observe(spoken.frames, np.roll(spoken.mel, shift, axis=1), readers)
    assert value("av_offset_ms", moved, reference, spoken.prompts) == pytest.approx(-20 * shift, abs=8)
    assert value("av_offset_abs_ms", moved, reference, spoken.prompts) == pytest.approx(
        20 * abs(shift), abs=8
    )


def test_damage_shows_step_by_step(reference: Observation, spoken: RealClips, readers: Readers) -> None:
    rng = np.random.default_rng(0)
    mel, face, frames = spoken.mel[:16], spoken.face[:16], spoken.frames[:16]
    noise, jitter = rng.standard_normal(mel.shape), rng.standard_normal(face.shape)
    jitter *= spoken.face.reshape(-1, 34).std(0)
    sound = [observe(frames, (mel + s * noise).astype(np.float32), readers) for s in (0, 0.3, 0.8, 2)]
    video = [observe(draw(face + s * jitter), mel, readers) for s in (0, 0.1, 0.3, 0.8)]
    prompts = picked(spoken.prompts, np.arange(16))
    for name in ("kavd_lite", "kad_lite", "favd_lite", "per"):
        values = [value(name, damaged, reference, prompts) for damaged in sound]
        assert values == sorted(values), name
    for name in ("kavd_lite", "kvd_lite", "favd_lite", "motion_magnitude"):
        values = [value(name, damaged, reference, prompts) for damaged in video]
        assert values == sorted(values), name
    values = [value("sync_corr", damaged, reference, prompts) for damaged in video]
    assert values == sorted(values, reverse=True)


def test_silent_and_still_clips_have_no_sync_but_do_have_quality(
    reference: Observation, spoken: RealClips, readers: Readers
) -> None:
    still = observe(np.repeat(spoken.frames[:, :1], 64, 1), spoken.mel, readers)
    silent = observe(spoken.frames, np.full_like(spoken.mel, np.log(1e-4)), readers)
    for damaged in (still, silent):
        for name in ("sync_corr", "sync_c", "sync_c_norm", "av_offset_ms", "av_offset_abs_ms"):
            result = metric(name).compute(damaged, reference, spoken.prompts)
            assert (result.status, result.n) == ("not_applicable", 0)
        assert value("kavd_lite", damaged, reference, spoken.prompts) > 10
    assert value("per", silent, reference, spoken.prompts) == 1.0
    assert value("motion_magnitude", still, reference, spoken.prompts) < 1e-5
    assert value("loudness_db", silent, reference, spoken.prompts) < -70


def test_the_wrong_identity_is_seen(real: Observation, reference: Observation, spoken: RealClips) -> None:
    others = replace(spoken.prompts, identity=(spoken.prompts.identity + 5) % 16)
    assert value("id_sim_lite", real, reference, others) < 0.4


def test_diversity_is_the_distance_between_seeds(
    real: Observation, reference: Observation, spoken: RealClips
) -> None:
    three = concatenate([real.select(np.array([clip, 1])) for clip in (0, 2, 4)])
    prompts = Prompts(
        timelines=tuple(spoken.prompts.timelines[i] for i in (0, 1, 0, 1, 0, 1)),
        voice=np.zeros(6, np.int64),
        identity=np.zeros(6, np.int64),
        prompt=np.array([0, 1] * 3),
        seed=np.array([0, 0, 1, 1, 2, 2]),
    )
    for name, points in (("diversity_v", real.windows.video), ("diversity_a", real.windows.audio)):
        result = metric(name).compute(three, reference, prompts)
        pairs = [np.linalg.norm(points[a] - points[b], axis=-1).mean() for a, b in ((0, 2), (0, 4), (2, 4))]
        assert result.per_clip[1] == pytest.approx(0.0, abs=1e-6)
        assert result.value == pytest.approx(np.mean(pairs) / 2, rel=1e-4)
