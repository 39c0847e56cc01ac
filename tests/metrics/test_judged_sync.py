from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_world import RealClips

from mfbench.metrics.judged_sync import confidence, offset_ms
from mfbench.metrics.judges.moments import MAX_LAG
from mfbench.metrics.observe import Observation, Readers
from mfbench.registry import METRICS

LAGS = np.arange(-MAX_LAG, MAX_LAG + 1)
NAMES = ("sync_cca", "sync_lite_c", "sync_lite_auc")


@given(lag=st.floats(-30, 30))
def test_the_offset_of_a_parabola(lag: float) -> None:
    curve = (1 - 0.01 * (LAGS - lag) ** 2).astype(np.float32)
    assert offset_ms(curve[None])[0] == pytest.approx(-20 * lag, abs=0.1)  # positive = the sound leads


def test_confidence_is_peak_minus_median() -> None:
    curves = np.zeros((2, len(LAGS)), np.float32)
    curves[0, 3], curves[1] = 0.75, 0.5
    assert confidence(curves).tolist() == [0.75, 0.0]


def per_clip(name: str, seen: Observation, spoken: RealClips) -> np.ndarray:
    found = METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).per_clip
    return np.array([np.nan if value is None else value for value in found])


def planted(real: Observation, lag: int) -> Observation:
    """Embeddings whose sound is a copy of the pictures, `lag` mel frames later."""
    rng = np.random.default_rng(0)
    nets, cca = real.judged.net_seen, real.judged.cca_seen

    def pair(shape: tuple[int, ...], sounds: int) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.standard_normal((*shape[:-2], sounds + 2 * MAX_LAG, shape[-1])).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
        heard = rows[..., MAX_LAG : MAX_LAG + sounds, :]
        return rows[..., MAX_LAG + lag :, :][..., : 2 * shape[-2] : 2, :], heard

    net_seen, net_heard = pair(nets.shape, real.judged.net_heard.shape[-2])
    cca_seen, cca_heard = pair(cca.shape, real.judged.cca_heard.shape[-2])
    judged = replace(
        real.judged, net_seen=net_seen, net_heard=net_heard, cca_seen=cca_seen, cca_heard=cca_heard
    )
    return replace(real, judged=judged)


def test_planted_sync_is_certain(real: Observation, spoken: RealClips) -> None:
    seen = planted(real, 0)
    assert per_clip("sync_lite_auc", seen, spoken) == pytest.approx([1.0] * real.clips)
    for name in ("sync_cca", "sync_lite_c"):
        assert per_clip(name, seen, spoken) == pytest.approx([1.0] * real.clips, abs=0.1)


def test_the_auc_sees_a_constant_offset_and_confidence_does_not(real: Observation, spoken: RealClips) -> None:
    late = planted(real, 15)
    assert per_clip("sync_lite_auc", late, spoken).mean() == pytest.approx(0.5, abs=0.1)
    assert per_clip("sync_lite_c", late, spoken) == pytest.approx([1.0] * real.clips, abs=0.1)


def test_real_pairs_are_preferred_to_strangers(
    real: Observation, spoken: RealClips, readers: Readers
) -> None:
    wrong = real.with_sound_of(np.roll(np.arange(real.clips), 1), spoken.mel, readers)
    for name in ("sync_cca", "sync_lite_c"):  # the share of lags is 1 for real pairs, and for some strangers
        pairs, strangers = per_clip(name, real, spoken), per_clip(name, wrong, spoken)
        assert np.mean(pairs[:, None] > strangers[None]) > 0.95, name
    assert per_clip("sync_lite_auc", real, spoken).mean() > 0.95
    assert per_clip("sync_lite_auc", wrong, spoken).mean() == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_silent_and_still_clips_have_none(name: str, real: Observation, spoken: RealClips) -> None:
    speech, motion = real.speech.speech.copy(), real.face.motion.copy()
    speech[0], motion[1] = 0, 0.3
    seen = replace(real, speech=replace(real.speech, speech=speech), face=replace(real.face, motion=motion))
    assert np.flatnonzero(np.isnan(per_clip(name, seen, spoken))).tolist() == [0, 1]
