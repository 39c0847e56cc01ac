"""The learned judges of sync; those that are fitted here take a step or two."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from metric_world import FPS, RealClips

from mfbench.metrics.judges import contrastive
from mfbench.metrics.judges.cca import CCAJudge
from mfbench.metrics.judges.contrastive import info_nce
from mfbench.metrics.judges.moments import MAX_LAG, MELS, PICTURES, Moments, likeness_curve, moments
from mfbench.metrics.judges.panel import JudgePanel
from mfbench.metrics.observe import Observation, Readers

TEMPERATURE = 0.07


def unit_rows(rng: np.random.Generator, count: int, width: int = 8) -> np.ndarray:
    rows = rng.standard_normal((count, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(lag=st.integers(-MAX_LAG, MAX_LAG), seed=st.integers(0, 99))
def test_the_likeness_of_shifted_copies_peaks_at_the_shift(lag: int, seed: int) -> None:
    sounds = unit_rows(np.random.default_rng(seed), 256 + 2 * MAX_LAG)
    heard = sounds[MAX_LAG : MAX_LAG + 256]
    seen = sounds[MAX_LAG + lag :][:256:2]
    curve = likeness_curve(seen, heard)
    assert curve.shape == (2 * MAX_LAG + 1,)
    assert np.isfinite(curve).all()
    assert curve.argmax() - MAX_LAG == lag
    assert curve.max() == pytest.approx(1, abs=1e-5)


def test_likeness_is_the_mean_product_over_the_same_pictures() -> None:
    rng = np.random.default_rng(0)
    seen, heard = unit_rows(rng, 60), unit_rows(rng, 120)
    rows = [k for k in range(60) if 2 * k - MAX_LAG >= 0 and 2 * k + MAX_LAG < 120]
    wanted = [np.mean([seen[k] @ heard[2 * k + lag] for k in rows]) for lag in range(-MAX_LAG, MAX_LAG + 1)]
    np.testing.assert_allclose(likeness_curve(seen, heard), wanted, atol=1e-6)


def test_short_clips_reach_less_far_and_very_short_ones_not_at_all() -> None:
    rng = np.random.default_rng(1)
    curve = likeness_curve(unit_rows(rng, 20), unit_rows(rng, 40))
    reach = (40 - MELS) // 2
    assert np.isfinite(curve).sum() == 2 * reach + 1
    assert np.isfinite(curve[MAX_LAG - reach : MAX_LAG + reach + 1]).all()
    assert np.isnan(likeness_curve(unit_rows(rng, 3), unit_rows(rng, 6))).all()


def test_moments_cover_the_same_fifth_of_a_second() -> None:
    mouth = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None, None], (40, 12, 16))
    mel = np.repeat(np.arange(80, dtype=np.float32)[:, None], 4, axis=1)
    found = moments(mouth, mel, 25.0)
    assert found.seen.shape == (40 - PICTURES + 1, PICTURES, 12, 16)
    assert found.heard.shape == (80 - MELS + 1, MELS, 4)
    for k in (0, 7, 35):
        assert found.seen[k, :, 0, 0].tolist() == list(range(k, k + 5))
        assert found.heard[2 * k, :, 0].tolist() == list(range(2 * k, 2 * k + 10))


def test_a_slower_film_is_seen_as_a_player_shows_it() -> None:
    rng = np.random.default_rng(2)
    mouth, mel = rng.standard_normal((20, 12, 16)), rng.standard_normal((80, 64))
    slow, shown = moments(mouth, mel, 12.5), moments(np.repeat(mouth, 2, axis=0), mel, 25.0)
    np.testing.assert_array_equal(slow.seen, shown.seen)
    np.testing.assert_array_equal(slow.heard, shown.heard)
    for rate_hz in (24.0, 50.0):
        with pytest.raises(ValueError, match="wanted is 25 or a fraction"):
            moments(mouth, mel, rate_hz)


@given(
    angles=st.tuples(st.floats(0, 6.28), st.floats(0, 6.28), st.floats(0, 6.28), st.floats(0, 6.28)),
)
def test_the_loss_of_two_pairs(angles: tuple[float, float, float, float]) -> None:
    rows = torch.tensor([[np.cos(a), np.sin(a)] for a in angles], dtype=torch.float64)
    seen, heard = rows[:2], rows[2:]
    cosine = np.cos(np.subtract.outer(angles[:2], angles[2:])) / TEMPERATURE
    gaps = (
        cosine[0, 1] - cosine[0, 0],
        cosine[1, 0] - cosine[1, 1],
        cosine[1, 0] - cosine[0, 0],
        cosine[0, 1] - cosine[1, 1],
    )
    wanted = np.mean([np.logaddexp(0, gap) for gap in gaps])
    found = info_nce(seen, heard, torch.tensor([0, 1]), torch.tensor([5, 5]))
    assert float(found) == pytest.approx(float(wanted), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("apart", [0, 1, 2, 9])
def test_near_moments_of_a_clip_are_no_negatives(apart: int) -> None:
    rows = torch.nn.functional.normalize(torch.randn(4, 6, generator=torch.Generator().manual_seed(0)), dim=1)
    seen, heard = rows[:2], rows[2:]
    clip, moment = torch.tensor([3, 3]), torch.tensor([5, 5 + apart])
    loss = float(info_nce(seen, heard, clip, moment))
    if apart <= 1:
        assert loss == 0.0
    else:
        assert loss == pytest.approx(float(info_nce(seen, heard, torch.tensor([3, 4]), moment)))
        assert loss > 0


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrastive, "_STEPS", 2)


def some_moments(count: int = 3) -> list[Moments]:
    rng = np.random.default_rng(3)
    return [
        moments(
            rng.standard_normal((40, 12, 16)).astype(np.float32),
            rng.standard_normal((80, 6)).astype(np.float32),
            25.0,
        )
        for _ in range(count)
    ]


@pytest.mark.usefixtures("few_steps")
def test_the_same_seed_gives_the_same_judge_and_disturbs_no_other_draws() -> None:
    clips = some_moments()
    state = torch.random.get_rng_state()
    first, again, other = (contrastive.fit(clips, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(first.see(clips[0]), again.see(clips[0]))
    np.testing.assert_array_equal(first.hear(clips[0]), again.hear(clips[0]))
    assert np.abs(first.see(clips[0]) - other.see(clips[0])).max() > 0.01
    np.testing.assert_allclose(np.linalg.norm(first.hear(clips[0]), axis=1), 1, atol=1e-5)
    assert not first.training


@pytest.mark.usefixtures("few_steps")
def test_training_lowers_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = some_moments(2)
    losses = []

    def noted(*arguments: torch.Tensor) -> torch.Tensor:
        loss = info_nce(*arguments)
        losses.append(loss.item())
        return loss

    monkeypatch.setattr(contrastive, "info_nce", noted)
    monkeypatch.setattr(contrastive, "_STEPS", 8)
    contrastive.fit(clips, 0)
    assert len(losses) == 8
    assert losses[-1] < losses[0]


def hidden_pair(rng: np.random.Generator, noise: float) -> Moments:
    """Moments whose both sides are maps of the same four hidden tracks."""
    hidden = rng.standard_normal((80, 4)).astype(np.float32)
    to_mouth = np.random.default_rng(10).standard_normal((8, 12 * 16)).astype(np.float32)
    to_mel = np.random.default_rng(11).standard_normal((4, 6)).astype(np.float32)
    mouth = (hidden.reshape(40, 8) @ to_mouth).reshape(40, 12, 16)
    extra = noise * rng.standard_normal(mouth.shape).astype(np.float32)
    return moments(mouth + extra, hidden @ to_mel, 25.0)


def test_canonical_correlation_finds_what_both_sides_share() -> None:
    rng = np.random.default_rng(4)
    judge = CCAJudge.fit([hidden_pair(rng, 0.1) for _ in range(12)])
    assert (judge.correlation > 0.9).all()
    assert (np.diff(judge.correlation) <= 1e-6).all()
    fresh = hidden_pair(rng, 0.1)
    curve = likeness_curve(judge.see(fresh), judge.hear(fresh))
    reach = (80 - MELS - 2) // 2
    inner = curve[MAX_LAG - min(reach, MAX_LAG) : MAX_LAG + min(reach, MAX_LAG) + 1]
    assert np.nanargmax(curve) == MAX_LAG
    assert np.nanmax(curve) > np.nanmedian(inner) + 0.5
    strangers = CCAJudge.fit(some_moments(12))
    assert strangers.correlation.max() < judge.correlation.min()


def test_a_panel_survives_its_state(readers: Readers, spoken: RealClips, real: Observation) -> None:
    again = JudgePanel.from_state(readers.judges.state())
    mouths, mel = real.face.mouth_image[:3], spoken.mel[:3]
    first, second = (panel.judge(mouths, mel, FPS) for panel in (readers.judges, again))
    for name in first.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name), err_msg=name)
    assert len(again.nets) == 3
    assert first.net_curves().shape == (3, 3, 2 * MAX_LAG + 1)
    assert first.cca_curves().shape == (3, 2 * MAX_LAG + 1)


@given(gain=st.floats(-2, 2), light=st.floats(0.6, 1.2))
def test_neither_gain_nor_light_counts(
    gain: float, light: float, readers: Readers, spoken: RealClips
) -> None:
    mouth = np.random.default_rng(5).integers(0, 200, (1, 64, 12, 16)).astype(np.uint8)
    mel = spoken.mel[:1]
    plain = readers.judges.judge(mouth, mel, FPS)
    changed = readers.judges.judge(mouth * np.float64(light), mel + np.float32(gain), FPS)
    np.testing.assert_allclose(changed.net_heard, plain.net_heard, atol=1e-3)
    np.testing.assert_allclose(changed.cca_heard, plain.cca_heard, atol=1e-3)
    np.testing.assert_allclose(changed.net_seen, plain.net_seen, atol=0.05)


def test_sound_of_others_is_theirs(real: Observation) -> None:
    order = np.roll(np.arange(real.clips), 3)
    mixed = real.judged.with_sound_of(order)
    np.testing.assert_array_equal(mixed.net_heard, real.judged.net_heard[order])
    np.testing.assert_array_equal(mixed.cca_heard, real.judged.cca_heard[order])
    np.testing.assert_array_equal(mixed.net_seen, real.judged.net_seen)
