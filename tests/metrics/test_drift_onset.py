from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_world import RealClips, draw, real_clips
from scipy.stats import ttest_1samp

from mfbench.metrics.base import EmbeddedClips
from mfbench.metrics.distances import ClipSets
from mfbench.metrics.drift import WINDOW_S
from mfbench.metrics.drift_onset import ERROR, SIGNALS, OnsetScores, signal_levels
from mfbench.metrics.embedding import GROUPS
from mfbench.metrics.observe import Readers, observe
from mfbench.registry import METRICS

POINTS = 79  # of 25.6 s
HORIZON_S = 25.6
WIDTH = sum(group.channels for group in GROUPS.values())


def columns(signal: str) -> slice:
    names = list(GROUPS)
    start = sum(GROUPS[name].channels for name in names[: names.index(signal)])
    return slice(start, start + GROUPS[signal].channels)


def noise(clips: int, points: int = POINTS, seed: int = 0) -> np.ndarray:
    weights = np.concatenate([[group.weight] * group.channels for group in GROUPS.values()])
    return (np.random.default_rng(seed).standard_normal((clips, points, WIDTH)) * weights).astype(np.float32)


def scores(films: list[np.ndarray] | np.ndarray, prompt: np.ndarray | None = None) -> OnsetScores:
    sets = ClipSets.of(list(films))
    clips = EmbeddedClips(sets, sets, sets, np.ones(len(films), bool))
    prompts = np.arange(len(films)) if prompt is None else prompt
    found = METRICS.build({"type": "drift_onset_s"}).set_scores(clips, clips, prompts)
    assert isinstance(found, OnsetScores)
    return found


def onset(films: list[np.ndarray] | np.ndarray, prompt: np.ndarray | None = None) -> float | None:
    return scores(films, prompt).value(np.arange(len(films)))


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_the_window_in_which_a_signal_begins_to_change(signal: str, window: int, factor: float) -> None:
    films = noise(16)
    films[:, 16 * window :, columns(signal)] *= factor
    assert onset(films) == pytest.approx(window * WINDOW_S)


def test_what_is_not_a_signal_has_no_onset() -> None:
    films = noise(16)
    films[:, 32:, columns("audio_texture")] *= 9
    assert onset(films) == HORIZON_S


def test_films_that_do_not_drift_are_censored_at_the_horizon_in_nearly_all_studies() -> None:
    studies = 200
    early = sum(onset(noise(8, seed=seed)) < HORIZON_S for seed in range(studies))
    assert early <= 2 * ERROR * studies
    assert onset(noise(8, points=63)) == pytest.approx(20.48)  # another horizon


def test_no_change_at_all_is_censored_and_the_same_change_everywhere_is_not() -> None:
    film = noise(1)[:, :15]
    still = np.concatenate([film, film[:, :1]] * 5, axis=1)[:, :POINTS]
    films = np.repeat(still, 6, axis=0)
    assert onset(films) == HORIZON_S
    films[:, 48:] *= 1.01
    assert onset(films) == pytest.approx(3 * WINDOW_S)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), clips=st.integers(4, 12), size=st.floats(0, 0.8))
def test_the_interval_is_that_of_a_t_test(seed: int, clips: int, size: float) -> None:
    films = noise(clips, seed=seed) * (1 + size * np.arange(POINTS)[:, None] / POINTS)
    levels = np.stack([signal_levels(film) for film in films.astype(np.float32)])
    change = levels[:, 1:] - levels[:, :1]
    wanted = HORIZON_S
    for window in range(4, 0, -1):
        p = ttest_1samp(change[:, window - 1], 0).pvalue
        if (p < ERROR / (4 * len(SIGNALS))).any():
            wanted = window * WINDOW_S
    assert onset(films.astype(np.float32)) == pytest.approx(wanted)


def test_more_films_show_drift_earlier() -> None:
    films = noise(64)
    films[..., columns("head")] *= (1 + 0.12 * np.arange(POINTS) / 16)[:, None]
    found = [onset(films[:n]) for n in (4, 16, 64)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_films_of_one_prompt_count_as_one() -> None:
    films = np.concatenate([noise(4)] * 8)
    films[:, 64:, columns("looks")] *= 1.6
    prompt = np.tile(np.arange(4), 8)
    assert onset(films, prompt) == onset(films[:4])
    assert onset(films) < HORIZON_S
    assert onset(films, np.zeros(32, np.int64)) is None


def test_a_resample_knows_no_more_than_its_different_clips() -> None:
    found = scores(noise(16) * (1 + 0.25 * np.arange(POINTS)[:, None] / POINTS).astype(np.float32))
    clips = np.array([0, 3, 3, 3, 3, 4, 4, 7, 7, 7, 7, 7])
    assert found.value(clips) == found.value(np.array([7, 4, 3, 0]))
    assert found.value(np.repeat([0, 1], 20)) is None


def test_short_films_do_not_count_and_horizons_are_what_three_reach() -> None:
    films = list(noise(9))
    assert onset([film[:40] for film in films]) is None
    mixed = [film[:47] for film in films[:6]] + films[6:]  # 15.36 s and 25.6 s
    assert scores(mixed).horizon_s == pytest.approx(25.6)
    assert scores([film[:47] for film in films[:7]] + films[7:]).horizon_s == pytest.approx(15.36)
    few = scores([film[:31] for film in films[:5]] + films[5:])  # 10.24 s
    np.testing.assert_array_equal(few.usable, [False] * 5 + [True] * 4)
    assert few.value(np.array([0, 1, 5, 6])) is None
    assert few.value(np.arange(9)) is not None


def test_levels_group_by_group() -> None:
    film = noise(1)[0]
    found = signal_levels(film)
    assert found.shape == (5, 4)
    for k, name in enumerate(SIGNALS):
        for window in range(5):
            part = film[16 * window : 16 * window + 15, columns(name)] / GROUPS[name].weight
            assert found[window, k] == pytest.approx(np.log((part.astype(float) ** 2).mean()), abs=1e-4)


@pytest.fixture(scope="module")
def long_clips() -> RealClips:
    return real_clips("test", 8, seconds=20.48)


def test_real_talkers_have_no_onset_and_colours_that_run_away_have_one(
    long_clips: RealClips, readers: Readers
) -> None:
    metric = METRICS.build({"type": "drift_onset_s"})
    seen = observe(long_clips.frames, long_clips.mel, readers)
    plain = metric.compute(seen, seen, long_clips.prompts)
    assert (plain.value, plain.status, plain.n) == (pytest.approx(20.48), "ok", 8)
    ramp = np.linspace(0, 1, long_clips.face.shape[1], dtype=np.float32)
    face = long_clips.face.copy()
    face[..., 11:26] += 0.3 * ramp[None, :, None] * (0.5 - face[..., 11:26].round())
    moved = observe(draw(face), long_clips.mel, readers)
    assert metric.compute(moved, moved, long_clips.prompts).value <= 10.24
