"""A film beside the true film that it reconstructs, block by block: of neither more than a block is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from mfbench.metrics.base import BoolArray, Double, FloatArray, IntArray
from mfbench.metrics.film import Block, shows_character
from mfbench.metrics.observe import Observation, Readers
from mfbench.metrics.pair_signals import PairSignals, mouth_difference, msssim, squared_error, ssim
from mfbench.metrics.readers.images import Pixels

SPARE_FRAMES = 1  # a film ends with the earlier of its streams, and sound may end within the last frame
Passed = TypeVar("Passed", bound=Block)


class UnequalError(ValueError):
    """A film and its true film are not equally long."""


class Comparison:
    """Compares the frames of a film with those of its true film, while others read the film.

    Args:
        true: blocks of the true film on the same grid, of any lengths.
        frame_rate_hz: of both.
        readers: fitted judges.
    """

    def __init__(self, true: Iterable[Block], frame_rate_hz: float, readers: Readers) -> None:
        self._true = iter(true)
        self._rate_hz, self._readers = frame_rate_hz, readers
        self._waiting: Pixels | None = None
        self._frames, self._true_frames = 0, 0
        self._errors: list[Double] = []
        self._ssims: list[Double] = []
        self._msssims: list[Double] = []
        self._motion: list[FloatArray] = []
        self._drawn: list[BoolArray] = []
        self._identity: IntArray | None = None

    def passing(self, blocks: Iterable[Passed]) -> Iterator[Passed]:
        """The blocks of the film as they are, each once it was compared."""
        for block in blocks:
            self._compare(block.frames)
            yield block
        held = 0 if self._waiting is None else len(self._waiting)
        self._true_frames += held + sum(len(block.frames) for block in self._true)

    def beside(self, seen: Observation) -> Observation:
        """What was read from the film, with how far it is from its true film.

        Raises:
            UnequalError: where one has more than a frame that the other does not have.
        """
        if abs(self._frames - self._true_frames) > SPARE_FRAMES or not self._errors:
            raise UnequalError(
                f"the true film has {self._true_frames} frames at {self._rate_hz:g} per second and this one "
                f"has {self._frames}; a pair shows the same frames, so cut both alike"
            )
        motion, drawn = np.concatenate(self._motion, axis=1), np.concatenate(self._drawn, axis=1)
        mouth = mouth_difference(seen.face.motion[:, : motion.shape[1]], motion)
        if not shows_character(drawn, motion.shape[1] / self._rate_hz):
            mouth[:] = np.nan
        errors, ssims, msssims = (
            np.concatenate(parts)[None] for parts in (self._errors, self._ssims, self._msssims)
        )
        return replace(seen, paired=PairSignals(errors, ssims, msssims, mouth))

    def _compare(self, frames: Pixels) -> None:
        true = self._take(len(frames))
        self._frames += len(frames)
        self._true_frames += len(true)
        if len(true):
            shown = frames[: len(true)]
            self._errors.append(squared_error(shown, true))
            self._ssims.append(ssim(shown, true))
            self._msssims.append(msssim(shown, true))
            face = self._readers.pixels.read(true[None], self._rate_hz, self._identity)
            self._identity = face.identity
            self._motion.append(face.motion)
            self._drawn.append(face.drawn)

    def _take(self, count: int) -> Pixels:
        """The next frames of the true film; fewer at its end."""
        held = [] if self._waiting is None else [self._waiting]
        self._waiting = None
        have = sum(map(len, held))
        while have < count and (block := next(self._true, None)) is not None:
            held.append(block.frames)
            have += len(block.frames)
        if not held:
            return np.zeros((0, 0, 0, 3), np.uint8)
        frames = np.concatenate(held)
        self._waiting = frames[count:] if len(frames) > count else None
        return frames[:count]
