from __future__ import annotations

import numpy as np
import pytest

from mfbench.metrics.readers.viterbi import UnitLoop, decode

UNITS = [(0,), (1, 2), (2,)]


def slow_decode(scores: np.ndarray, loop: UnitLoop) -> list[tuple[int, int]]:
    """One clip with a full transition matrix."""
    states = len(loop.unit)
    move = np.full((states, states), -np.inf)
    for i in range(states):
        move[i, i] = loop.stay
        if i + 1 < states and loop.unit[i + 1] == loop.unit[i]:
            move[i, i + 1] = loop.step
    for a, last in enumerate(loop.last):
        for b, first in enumerate(loop.first):
            if a != b or loop.may_repeat:
                move[last, first] = max(move[last, first], loop.enter)
    emitted = scores[:, loop.emissions]
    best = np.full(states, -np.inf)
    best[loop.first] = emitted[0, loop.first]
    back = np.zeros((len(scores), states), int)
    for t in range(1, len(scores)):
        total = best[:, None] + move
        back[t] = total.argmax(0)
        best = total.max(0) + emitted[t]
    path = [int(loop.last[best[loop.last].argmax()])]
    for t in range(len(scores) - 1, 0, -1):
        path.append(int(back[t][path[-1]]))
    path.reverse()
    begun = [(int(loop.unit[path[0]]), 0)]
    for t in range(1, len(path)):
        if path[t] != path[t - 1] and path[t] in loop.first and path[t - 1] in loop.last:
            begun.append((int(loop.unit[path[t]]), t))
    return begun


@pytest.mark.parametrize("may_repeat", [False, True])
def test_batched_decoding_equals_a_full_transition_matrix(may_repeat: bool) -> None:
    loop = UnitLoop.build(UNITS, may_repeat=may_repeat, enter=-2.0)
    scores = np.random.default_rng(0).normal(0, 3, (12, 30, 9)).astype(np.float32)
    assert decode(scores, loop) == [slow_decode(clip, loop) for clip in scores]


def test_a_clear_signal_is_read_back() -> None:
    loop = UnitLoop.build(UNITS, may_repeat=False)
    states = [0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 0, 1, 2]
    scores = np.full((1, len(states), 9), -50, np.float32)
    scores[0, np.arange(len(states)), states] = 0
    assert decode(scores, loop) == [[(0, 0), (1, 4), (0, 11)]]
