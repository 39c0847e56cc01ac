"""Viterbi decoding of many clips at once over a loop of units (phones or words)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

STATES_PER_PHONE = 3
_STAY, _STEP, _ENTER, _ENTER_SECOND = 0, 1, 2, 3


@dataclass(frozen=True)
class UnitLoop:
    """Units, each a left-to-right chain of emission states; after a unit any *other* unit may follow.

    Attributes:
        emissions: column of the emission scores of every state, [states].
        unit: unit of every state, [states].
        first, last: first and last state of every unit, [units].
        stay, step, enter: log transition scores.
        may_repeat: units that may follow themselves.
    """

    emissions: IntArray
    unit: IntArray
    first: IntArray
    last: IntArray
    stay: float
    step: float
    enter: float
    may_repeat: bool

    @classmethod
    def build(
        cls,
        units: list[tuple[int, ...]],
        *,
        may_repeat: bool,
        stay: float = -0.35,
        step: float = -1.2,
        enter: float = -6.0,
    ) -> UnitLoop:
        """Chains of `STATES_PER_PHONE` states for every phone of every unit."""
        emissions: list[int] = []
        unit: list[int] = []
        first, last = [], []
        for index, phones in enumerate(units):
            first.append(len(emissions))
            for phone in phones:
                emissions += [STATES_PER_PHONE * phone + k for k in range(STATES_PER_PHONE)]
            unit += [index] * (STATES_PER_PHONE * len(phones))
            last.append(len(emissions) - 1)
        return cls(
            emissions=np.array(emissions),
            unit=np.array(unit),
            first=np.array(first),
            last=np.array(last),
            stay=stay,
            step=step,
            enter=enter,
            may_repeat=may_repeat,
        )


def decode(scores: FloatArray, loop: UnitLoop) -> list[list[tuple[int, int]]]:
    """Best unit sequences of emission log scores [clips, frames, columns].

    Every clip begins at the first state of a unit and ends at the last state of one. Returns, per clip, the
    units in order with their first frames.

    Source: Rabiner 1989, section III.B, batched; all transitions between units pass through the two best
    final states, so a step costs O(states) and not O(states^2).
    """
    clips, frames = scores.shape[:2]
    emitted = scores[:, :, loop.emissions]
    best = np.full((clips, len(loop.unit)), -np.inf, dtype=np.float64)
    best[:, loop.first] = emitted[:, 0, loop.first]
    choices = np.zeros((frames, clips, len(loop.unit)), dtype=np.uint8)
    exits = np.zeros((frames, clips, 2), dtype=np.int64)
    for t in range(1, frames):
        best, choices[t], exits[t] = _advance(best, loop)
        best += emitted[:, t]
    return _trace(best, choices, exits, loop)


def _advance(
    best: NDArray[np.float64], loop: UnitLoop
) -> tuple[NDArray[np.float64], NDArray[np.uint8], IntArray]:
    """Scores of arriving in every state, how, and the two best units to leave from."""
    rows = np.arange(len(best))
    shifted = np.empty_like(best)
    shifted[:, 1:] = best[:, :-1] + loop.step
    shifted[:, loop.first] = -np.inf
    stayed = best + loop.stay
    choice = (shifted > stayed).astype(np.uint8)
    arrived = np.maximum(shifted, stayed)
    final = best[:, loop.last]
    top = final.argmax(1)
    without = final.copy()
    without[rows, top] = -np.inf
    second = without.argmax(1)
    entering = np.repeat((final[rows, top] + loop.enter)[:, None], len(loop.first), axis=1)
    how = np.full(entering.shape, _ENTER, dtype=np.uint8)
    if not loop.may_repeat:
        entering[rows, top] = final[rows, second] + loop.enter
        how[rows, top] = _ENTER_SECOND
    better = entering > arrived[:, loop.first]
    arrived[:, loop.first] = np.where(better, entering, arrived[:, loop.first])
    choice[:, loop.first] = np.where(better, how, choice[:, loop.first])
    return arrived, choice, np.stack([top, second], 1)


def _trace(
    best: NDArray[np.float64], choices: NDArray[np.uint8], exits: IntArray, loop: UnitLoop
) -> list[list[tuple[int, int]]]:
    frames, clips = choices.shape[:2]
    rows = np.arange(clips)
    state: IntArray = loop.last[best[:, loop.last].argmax(1)]
    begun: list[list[tuple[int, int]]] = [[] for _ in range(clips)]
    for t in range(frames - 1, 0, -1):
        choice = choices[t, rows, state]
        entered = choice >= _ENTER
        for clip in np.flatnonzero(entered).tolist():
            begun[clip].append((int(loop.unit[state[clip]]), t))
        origin = loop.last[exits[t, rows, np.where(choice == _ENTER_SECOND, 1, 0)]]
        state = np.where(entered, origin, state - (choice == _STEP))
    for clip in range(clips):
        begun[clip].append((int(loop.unit[state[clip]]), 0))
    return [units[::-1] for units in begun]
