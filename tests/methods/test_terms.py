"""Loss terms that methods share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.clip_spec import ClipSpec
from mfbench.methods import terms
from mfbench.types import AVBatch
from tests.conftest import make_condition, make_latents

SPEC = ClipSpec(
    chunks=1, frames_per_video_token=2, video_channels=1, mel_frames_per_audio_token=8, audio_channels=1
)


def batch(clips: int) -> AVBatch:
    return AVBatch(make_latents(SPEC, clips, 1), make_condition(clips, 1))


@given(st.integers(2, 40), st.floats(1e-12, 1, exclude_max=True))
def test_a_split_leaves_something_to_both_sides(clips: int, share: float) -> None:
    first, rest = terms.split(batch(clips), share)
    rows = list(range(clips))
    assert rows[first] + rows[rest] == rows
    assert rows[first]
    assert rows[rest]
    assert abs(len(rows[first]) - clips * share) <= 1


def test_one_clip_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="at least 2, see batch_size"):
        terms.split(batch(1), 0.5)
