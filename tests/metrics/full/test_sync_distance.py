from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mfbench.metrics.full import sync_distance


def embeddings(rows: int, lead: int, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sound that comes `lead` frames before the picture that it belongs to."""
    rng = np.random.default_rng(seed)
    track = 3 * rng.standard_normal((rows + 40, dim))
    video, audio = track[20 : 20 + rows], track[20 + lead : 20 + lead + rows]
    return video.astype(np.float32), (audio + 0.3 * rng.standard_normal((rows, dim))).astype(np.float32)


def published(video: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Mean distance per shift as the definition has it, one row after another, with torch's distance."""
    v, a = torch.from_numpy(video), torch.from_numpy(np.pad(audio, ((15, 15), (0, 0))))
    rows = [torch.nn.functional.pairwise_distance(v[i].expand(31, -1), a[i : i + 31]) for i in range(len(v))]
    return torch.stack(rows).numpy()


def test_distances_equal_the_definition():
    video, audio = embeddings(50, 2)
    np.testing.assert_allclose(sync_distance.distances(video, audio), published(video, audio), rtol=1e-5)


@given(st.integers(-15, 15))
@settings(max_examples=31)
def test_the_offset_is_recovered_and_positive_where_the_sound_leads(lead: int):
    found = sync_distance.distances(*embeddings(80, lead))
    assert sync_distance.curve(found).offset_ms == 40 * lead
    valid = sync_distance.valid_curve(found)
    assert valid is not None
    assert valid.offset_ms == 40 * lead


def test_a_constant_offset_hides_from_the_least_distance_but_not_from_that_at_zero():
    straight, late = (sync_distance.curve(sync_distance.distances(*embeddings(200, k))) for k in (0, -3))
    assert straight.at_zero == straight.lse_d
    assert late.lse_d == pytest.approx(straight.lse_d, rel=0.2)  # 3 of 200 rows meet the padding
    assert late.at_zero > 3 * straight.at_zero


def test_confidence_is_median_minus_least():
    curve = sync_distance.SyncCurve(np.linspace(5, 8, 31))
    assert (curve.lse_c, curve.lse_d) == pytest.approx((1.5, 5.0))
    assert (curve.at_zero, curve.offset_ms) == pytest.approx((6.5, 600.0))


def test_padding_makes_short_clips_differ_and_valid_rows_do_not_know_it():
    """Embeddings of one length everywhere: only what is inside the clip has a distance of its own."""
    rng = np.random.default_rng(0)
    unit = rng.standard_normal((240, 2, 64))
    video, audio = (9 * unit / np.linalg.norm(unit, axis=-1, keepdims=True)).transpose(1, 0, 2)
    gaps = []
    for rows in (40, 240):
        found = sync_distance.distances(video[:rows], audio[:rows])
        valid = sync_distance.valid_curve(found)
        assert valid is not None
        gaps.append(np.median(valid.distance) - np.median(found.mean(0)))
    assert gaps[0] > 4 * gaps[1] > 0


def test_valid_rows_need_31():
    video, audio = embeddings(31, 0)
    one = sync_distance.valid_curve(sync_distance.distances(video, audio))
    assert one is not None
    np.testing.assert_allclose(one.distance, sync_distance.distances(video, audio)[15])
    assert sync_distance.valid_curve(sync_distance.distances(video[:30], audio[:30])) is None


def test_windows_of_5_s_score_as_clips_of_5_s():
    video, audio = embeddings(300, 1)  # 12.2 s
    windows = sync_distance.window_curves(video, audio)
    assert len(windows) == 2
    alone = sync_distance.curve(sync_distance.distances(video[125:245], audio[125:245]))
    assert windows[1].lse_c == alone.lse_c
    assert len(sync_distance.window_curves(video[:120], audio[:120])) == 1  # exactly 5 s
    assert sync_distance.window_curves(video[:119], audio[:119]) == []


def rows(count: int) -> list[np.ndarray]:
    return [np.concatenate(embeddings(60 + i, 0, seed=i), axis=1) for i in range(count)]


def test_wrong_pairs_have_a_floor_below_right_pairs():
    clips = rows(6)
    null = sync_distance.null_confidence(clips)
    right = [sync_distance.curve(sync_distance.distances(c[:, :16], c[:, 16:])).lse_c for c in clips]
    assert 0 < null < 0.2 * np.mean(right)
    assert sync_distance.null_confidence(clips[::-1]) == null


def test_two_clips_swap_their_sounds():
    a, b = rows(2)
    crossed = [
        sync_distance.curve(sync_distance.distances(v[:60, :16], s[:60, 16:])).lse_c
        for v, s in ((a, b), (b, a))
    ]
    assert sync_distance.null_confidence([a, b]) == pytest.approx(np.mean(crossed))


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="not empty"):
        sync_distance.distances(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="wanted two of the same"):
        sync_distance.distances(np.zeros((4, 3), np.float32), np.zeros((5, 3), np.float32))
    with pytest.raises(ValueError, match="at least 2"):
        sync_distance.null_confidence([np.zeros((4, 6), np.float32)])
