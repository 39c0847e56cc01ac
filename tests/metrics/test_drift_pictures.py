from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from light_views import measured, seen
from scipy import ndimage

from mfbench.bench.judging import controls
from mfbench.character.face import FACE_PARAMETERS, MOTION_PARAMETERS, RANGES, render
from mfbench.character.identity import IDENTITIES, identity_parameters
from mfbench.metrics.colour_histogram import LOW, NODES, STEP
from mfbench.metrics.picture_signals import CORNERS, EVERY, picture_signals
from mfbench.registry import METRICS

RATE_HZ = 25.0
CHECKED = 160  # of 25.6 s
TIMES_S = (np.arange(CHECKED) + 0.5) * EVERY / RATE_HZ
NAMES = ("drift_hist", "drift_hf_energy", "drift_bg")


def line(slopes: np.ndarray, level: float) -> np.ndarray:
    """[clips, checked] that grow by so much per 10 s."""
    return level + slopes[:, None] / 10 * TIMES_S


def histograms(at: np.ndarray) -> np.ndarray:
    """All pixels of a frame at one place, in steps from the first node of every axis, [clips, checked]."""
    below = np.floor(at).astype(int)
    shares = np.zeros((*at.shape, 3, NODES))
    for node, share in ((below, below + 1 - at), (below + 1, at - below)):
        np.put_along_axis(shares, node[..., None, None].repeat(3, 2), share[..., None, None], axis=-1)
    return shares


def driven(name: str, slopes: np.ndarray) -> Any:
    """Tracks that grow by so much of the metric's unit per 10 s."""
    clips = len(slopes)
    if name == "drift_hist":
        return seen(clips, picture={"lab_histogram": histograms(line(slopes / STEP.mean(), 20.5))})
    if name == "drift_hf_energy":
        track = line(slopes, -12.0)
        track[:, ::8] = np.nan  # flat frames
        return seen(clips, picture={"detail_db": track})
    cells = np.broadcast_to(line(slopes, 90.0)[..., None, None], (clips, CHECKED, len(CORNERS), 3))
    return seen(clips, picture={"corners": cells})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(slope=st.floats(0.1, 20), other=st.floats(-20, -0.1))
def test_ramps_have_their_slope_and_constants_none(name: str, slope: float, other: float) -> None:
    found = measured(name, driven(name, np.array([slope, other, 0.0])))
    assert found.per_clip == pytest.approx([slope, -other, 0.0], rel=1e-3, abs=1e-5)
    assert found.value == pytest.approx((slope - other) / 3, rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_what_varies_nowhere_and_what_is_too_short_has_no_drift(name: str) -> None:
    assert measured(name, driven(name, np.zeros(3))).status == "not_applicable"
    moving = driven(name, np.array([3.0, -2.0]))
    for checked, status in ((64, "not_applicable"), (96, "ok")):
        field, track = next(iter(vars(moving.picture).items()))
        short = seen(2, picture={field: track[:, :checked]})
        assert measured(name, short).status == status


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_going_back_is_the_only_way_to_a_negative_slope(name: str, seed: int) -> None:
    """Whatever window comes first, a film that returns to it by the end has drifted back."""
    there = driven(name, np.random.default_rng(seed).uniform(2, 9, 2))
    field, track = next(iter(vars(there.picture).items()))
    back = np.concatenate([track[:, :32], track[:, 32:][:, ::-1]], axis=1)
    found = measured(name, there).per_clip, measured(name, seen(2, picture={field: back})).per_clip
    np.testing.assert_allclose(np.array(found[1]), -np.array(found[0]), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_declaration(name: str) -> None:
    metric = METRICS.get(name)
    assert (metric.higher_is_better, metric.least_clips, metric.least_s) == (None, 16, 15.36)
    assert metric.unit.endswith("/10 s")
    assert metric.needs == (("character",) if name == "drift_bg" else ())


def test_the_control_of_a_slow_ramp_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def view(kit: object, frames: np.ndarray, waveform: np.ndarray) -> Any:
        del kit, waveform
        return seen(len(frames), RATE_HZ, picture=vars(picture_signals(frames)))

    monkeypatch.setattr(controls, "view", view)
    monkeypatch.setattr(controls, "LONG_CLIPS", 2)
    monkeypatch.setattr(controls, "LONG_SEES", ("drift_hist", "drift_bg"))
    checks = list(controls._ramp(None))  # type: ignore[arg-type]
    assert [check.check.split(":")[0] for check in checks] == ["drift_hist", "drift_bg"]
    assert all(check.passed for check in checks)


def blurred(frames: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Each frame mixed with its neighbours by a share [frames]."""
    soft = ndimage.uniform_filter(frames.astype(np.float32), (1, 3, 3, 1), mode="nearest")
    mix = share[:, None, None, None]
    return np.rint((1 - mix) * frames + mix * soft).astype(np.uint8)


def still_faces(frames: int) -> np.ndarray:
    face = np.zeros((1, len(FACE_PARAMETERS)), np.float32)
    face[0, len(MOTION_PARAMETERS) :] = identity_parameters(IDENTITIES[3])
    return np.repeat(render(face, 64), frames, axis=0)


def test_blur_and_what_happens_behind_are_told_apart() -> None:
    frames = (0.8 * still_faces(4 * CHECKED)).astype(np.uint8)
    growing = np.linspace(0, 1, len(frames))
    soft = picture_signals(blurred(frames, growing)[None])
    ghost = frames.copy()
    patch = ghost[:, 0:4, 0:8].astype(float)
    sign = np.where(np.arange(8) < 4, 1, -1)[:, None]  # the mean of the corner stays
    ghost[:, 0:4, 0:8] = np.rint(patch + 30 * growing[:, None, None, None] * sign)
    behind = picture_signals(ghost[None])
    views = {name: seen(1, picture=vars(found)) for name, found in (("soft", soft), ("behind", behind))}
    assert measured("drift_hf_energy", views["soft"]).value > 0.5
    assert measured("drift_bg", views["soft"]).status == "not_applicable"  # nothing is to be blurred there
    # 2 of 12 cells that move by 30 within the film
    assert measured("drift_bg", views["behind"]).value == pytest.approx(30 / 6 / 2.56, rel=0.05)
    np.testing.assert_allclose(behind.colour[0, 0], behind.colour[0, -1], atol=0.02)


def test_no_pose_reaches_the_corners() -> None:
    poses = np.stack(np.meshgrid(*[np.linspace(*RANGES[n], 3) for n in ("tx", "ty", "roll", "yaw")]), -1)
    face = np.zeros((poses.size // 4, len(FACE_PARAMETERS)), np.float32)
    places = [FACE_PARAMETERS.index(n) for n in ("tx", "ty", "roll", "yaw")]
    face[:, places] = poses.reshape(-1, 4)
    colour = slice(FACE_PARAMETERS.index("background_r"), FACE_PARAMETERS.index("background_b") + 1)
    for who in IDENTITIES:
        face[:, len(MOTION_PARAMETERS) :] = identity_parameters(who)
        corners = []
        for level in (0.0, 1.0):
            face[:, colour] = level
            corners.append(picture_signals(render(face, 32)[None]).corners[0])
        assert corners[0].max() == 0  # nothing but background
        assert np.ptp(corners[1], axis=0).max() < 0.5


def test_what_is_kept_of_a_second_is_small() -> None:
    frames = np.zeros((1, 25, 64, 64, 3), np.uint8)
    found = picture_signals(frames)
    kept = (found.lab_histogram, found.detail_db, found.corners)
    assert all(track.shape[:2] == (1, 7) and track.dtype == np.float32 for track in kept)
    assert sum(track.nbytes for track in kept) < 6000
    assert found.lab_histogram.shape[2:] == (3, NODES)
    assert LOW[0] == 0
    blocks = [picture_signals(frames[:, :8]), picture_signals(frames[:, 8:], frames[:, 7])]
    joined = np.concatenate([block.lab_histogram for block in blocks], 1)
    np.testing.assert_array_equal(joined, found.lab_histogram)
