from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_world import RealClips

from mfbench.metrics.observe import Observation
from mfbench.metrics.picture_quality import FROZEN, standstill
from mfbench.metrics.picture_signals import picture_signals
from mfbench.registry import METRICS

SHORTEST_S = Fraction(1, 5)
RATES = (Fraction(25, 2), Fraction(15), Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60))
RUNS = st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=1, max_size=8)


@given(runs=RUNS, rate_hz=st.sampled_from(RATES))
def test_a_standstill_is_a_run_of_at_least_a_fifth_of_a_second(
    runs: list[tuple[bool, int]], rate_hz: Fraction
) -> None:
    still = np.concatenate([np.full(length, frozen) for frozen, length in runs])
    found = standstill(np.where(still, 0.0, 3.0).astype(np.float32)[None], float(rate_hz))[0]
    wanted, start = np.zeros(len(still)), 0
    while start < len(still):
        end = start
        while end < len(still) and still[end] == still[start]:
            end += 1
        if still[start] and (end - start) / rate_hz >= SHORTEST_S:
            wanted[start:end] = 1
        start = end
    np.testing.assert_array_equal(found, wanted)


def test_the_noise_of_a_codec_is_no_motion() -> None:
    change = np.full((2, 20), FROZEN - 0.01, np.float32)
    change[1] = FROZEN
    assert standstill(change, 25.0).mean(1).tolist() == [1.0, 0.0]


@given(step=st.integers(0, 20), shift=st.integers(0, 100))
def test_flicker_of_films_that_change_by_the_same_step(step: int, shift: int) -> None:
    levels = (shift + step * (np.arange(8) % 2)).astype(np.uint8)
    clip = np.broadcast_to(levels[None, :, None, None, None], (1, 8, 16, 16, 3))
    change = picture_signals(np.ascontiguousarray(clip)).change
    assert 1 - change.mean() / 255 == pytest.approx(1 - step / 255, abs=1e-6)
    assert standstill(change, 12.5).mean() == (step == 0)


def of(name: str, seen: Observation, spoken: RealClips) -> list[float | None]:
    return METRICS.build({"type": name}).compute(seen, seen, spoken.prompts).per_clip


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("sharpness", "sharpness"),
        ("colorfulness", "colourfulness"),
        ("clip_frac", "clipped"),
        ("noise_sigma", "noise"),
        ("blockiness", "blockiness"),
    ],
)
def test_metrics_are_means_over_frames(name: str, field: str, real: Observation, spoken: RealClips) -> None:
    found = of(name, real, spoken)
    assert found == pytest.approx(getattr(real.picture, field).astype(np.float64).mean(1), rel=1e-5)
    assert np.ptp(found) > 0


def test_frozen_films_freeze_and_do_not_flicker(real: Observation, spoken: RealClips) -> None:
    frames = spoken.frames.copy()
    half = frames.shape[1] // 2
    frames[:, half:] = frames[:, half - 1 : half]
    seen = replace(real, picture=picture_signals(frames))
    still = frames.shape[1] - half
    assert of("freeze_frac", seen, spoken) == pytest.approx([still / (frames.shape[1] - 1)] * real.clips)
    assert of("freeze_frac", real, spoken) == pytest.approx([0.0] * real.clips, abs=0.05)
    flicker = np.array([of("temporal_flicker", x, spoken) for x in (seen, real)], dtype=np.float64)
    assert (flicker[0] > flicker[1]).all()
    assert (flicker[0] < 1).all()


def test_blur_noise_and_exposure_move_what_is_named_after_them(real: Observation, spoken: RealClips) -> None:
    rng = np.random.default_rng(0)
    plain = spoken.frames[:4].astype(np.float64)
    noisy = plain + rng.normal(0, 10, plain.shape)
    grey = np.repeat(plain.mean(-1, keepdims=True), 3, axis=-1)
    made = {"noise_sigma": noisy, "sharpness": noisy, "clip_frac": 1.6 * plain, "colorfulness": 255 - grey}
    for name, frames in made.items():
        changed = replace(
            real.select(np.arange(4)), picture=picture_signals(frames.clip(0, 255).astype(np.uint8))
        )
        before = np.array(of(name, real, spoken)[:4])
        after = np.array(
            [
                float(v or 0)
                for v in METRICS.build({"type": name}).scores(changed, real, spoken.prompts).per_clip()
            ]
        )
        assert ((after < before) if name == "colorfulness" else (after > before)).all(), name
