"""Training batches as a pure function of (seed, step), so that a resumed run sees the same data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mfbench.types import AV, AVBatch, Condition


@dataclass(frozen=True)
class LatentSet:
    """Encoded clips of one split, all of one length.

    Attributes:
        latents: [clips, chunks, tokens, channels] per modality.
        frame_reference: latents of the first frame of every chunk, so that a window can start anywhere.
        voice: standardised voice descriptor.
        words: word ids per chunk.
    """

    latents: AV
    frame_reference: Float[Tensor, "clips chunks reference"]
    voice: Float[Tensor, "clips voice"]
    words: Int[Tensor, "clips chunks slots"]

    def condition(self, clips: Tensor, start: Tensor, chunks: int) -> Condition:
        """Conditions of windows [start, start + chunks) of the given clips."""
        index = start[:, None] + torch.arange(chunks)
        reference = torch.cat([self.frame_reference[clips, start], self.voice[clips]], -1)
        words = self.words[clips[:, None], index]
        return Condition(reference, words, torch.zeros(len(clips), dtype=torch.bool))

    def window(self, clips: Tensor, start: Tensor, chunks: int) -> AVBatch:
        """Latents and conditions of windows."""
        index = start[:, None] + torch.arange(chunks)
        return AVBatch(
            self.latents.map(lambda x: x[clips[:, None], index]), self.condition(clips, start, chunks)
        )


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """How batches are drawn.

    Attributes:
        min_chunks, max_chunks: training length in chunks (flexible length); short windows are drawn more
            often, they cost less and the chunks in them are as good.
        from_start: share of windows that start at the clip's first chunk.
    """

    seed: int
    batch_size: int
    min_chunks: int
    max_chunks: int
    from_start: float = 0.5

    def chunks(self, step: int) -> int:
        """Length of this step's windows."""
        return self._length(self._stream(step))

    def batch(self, data: LatentSet, step: int) -> AVBatch:
        """The batch of a step; clips come in shuffled epochs, so each is seen equally often."""
        stream = self._stream(step)
        chunks = self._length(stream)
        total, count = data.words.shape[1], data.words.shape[0]
        position = step * self.batch_size + np.arange(self.batch_size)
        clips = np.array(
            [self._order(int(e), count)[p] for e, p in zip(*divmod(position, count), strict=True)]
        )
        start = stream.integers(0, total - chunks + 1, self.batch_size)
        start[stream.random(self.batch_size) < self.from_start] = 0
        return data.window(torch.from_numpy(clips), torch.from_numpy(start), chunks)

    def _length(self, stream: np.random.Generator) -> int:
        return self.min_chunks + int((self.max_chunks - self.min_chunks + 1) * stream.random() ** 2)

    def _stream(self, step: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1, step])

    def _order(self, epoch: int, count: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2, epoch]).permutation(count)


def step_generator(seed: int, step: int) -> torch.Generator:
    """The random stream of one training step; stateless, so nothing has to be saved for resume."""
    state = np.random.SeedSequence([seed, 3, step]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) & (2**63 - 1))
