from __future__ import annotations

import numpy as np
import pytest

from mfbench.bench.bodies.time import FEWEST_FOR_GROWTH, _growth


def test_latency_that_doubles_late_has_growth_two_and_a_short_rollout_has_none() -> None:
    flat = np.full((3, 2 * FEWEST_FOR_GROWTH), 0.05)
    late = flat.copy()
    late[:, FEWEST_FOR_GROWTH:] *= 2
    assert _growth(flat) == pytest.approx(1.0)
    assert _growth(late) == pytest.approx([2.0, 2.0, 2.0])
    assert _growth(flat[:, : 2 * FEWEST_FOR_GROWTH - 2]) is None
