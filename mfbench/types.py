"""Records that cross package borders.

Conventions (asserted in `flows.path`): rectified flow x_t = (1 - t) x_0 + t e, t = 1 is noise, t = 0 is
data, velocity v = e - x_0. Latents are stored as [batch, chunks, tokens, channels] per modality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Attention = Literal["own", "causal", "full"]  # which chunks a chunk being denoised sees, see models.masks
Solver = Literal["euler", "heun", "jump", "renoise"]  # see flows.samplers


@dataclass(frozen=True)
class AV:
    """One tensor per modality; `None` where a unimodal stage leaves a branch out.

    Latents are Float[batch, chunks, tokens, channels]; times and step sizes Float[batch, chunks].
    """

    video: Tensor | None
    audio: Tensor | None

    def __post_init__(self) -> None:
        if self.video is None and self.audio is None:
            raise ValueError("AV needs at least one modality, got video=None and audio=None")

    @classmethod
    def both(cls, value: Tensor) -> AV:
        """The same tensor for both modalities (for instance one shared time)."""
        return cls(value, value)

    def map(self, function: Callable[[Tensor], Tensor]) -> AV:
        """Apply a function to each modality that is present."""
        return AV(
            None if self.video is None else function(self.video),
            None if self.audio is None else function(self.audio),
        )

    def zip(self, other: AV, function: Callable[[Tensor, Tensor], Tensor]) -> AV:
        """Combine modality by modality; a modality missing on the left stays missing."""

        def pair(a: Tensor | None, b: Tensor | None, name: str) -> Tensor | None:
            if a is None:
                return None
            if b is None:
                raise ValueError(f"the left side has {name} and the right side has not")
            return function(a, b)

        return AV(pair(self.video, other.video, "video"), pair(self.audio, other.audio, "audio"))

    def parts(self) -> dict[str, Tensor]:
        """The modalities that are present, by name."""
        named = {"video": self.video, "audio": self.audio}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    @property
    def any(self) -> Tensor:
        """One tensor of the pair, for what both share (batch, chunks, device)."""
        return next(iter(self.parts().values()))

    @property
    def batch(self) -> int:
        """Batch size."""
        return int(self.any.shape[0])

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return int(self.any.shape[1])

    def slice(self, start: int, stop: int) -> AV:
        """Chunks start..stop-1."""
        return self.map(lambda x: x[:, start:stop])

    def chunk(self, k: int) -> AV:
        """Chunk k alone, with its axis kept; serves latents and times alike."""
        return self.slice(k, k + 1)

    def detach(self) -> AV:
        """Both modalities without history."""
        return self.map(lambda x: x.detach())

    def __add__(self, other: AV) -> AV:
        return self.zip(other, torch.add)

    def __sub__(self, other: AV) -> AV:
        return self.zip(other, torch.sub)

    def scale(self, factor: AV) -> AV:
        """Multiply tokens [b, k, n, c] by a per-chunk factor [b, k]."""
        return self.zip(factor, lambda x, f: x * f[:, :, None, None])


def concatenate(parts: list[AV], dim: int = 1) -> AV:
    """Join along the chunk axis (default) or the batch axis."""
    first = parts[0]
    return AV(
        None if first.video is None else torch.cat([p.video for p in parts if p.video is not None], dim),
        None if first.audio is None else torch.cat([p.audio for p in parts if p.audio is not None], dim),
    )


@dataclass(frozen=True)
class Condition:
    """What a clip is asked to be.

    Attributes:
        reference: the first frame's appearance and the voice descriptor, [batch, reference_channels].
        words: word ids per chunk in spoken order without timing, [batch, chunks, slots]; 0 is an empty
            slot, 1..vocabulary are words.
        null: True where the word list is replaced by the learned null list (classifier-free guidance).
    """

    reference: Float[Tensor, "batch reference"]
    words: Int[Tensor, "batch chunks slots"]
    null: Bool[Tensor, batch]

    def slice(self, start: int, stop: int) -> Condition:
        """Condition of chunks start..stop-1."""
        return Condition(self.reference, self.words[:, start:stop], self.null)

    def without_words(self) -> Condition:
        """The null branch: reference and history stay, the word list goes."""
        return Condition(self.reference, self.words, torch.ones_like(self.null))

    def drop(self, mask: Bool[Tensor, batch]) -> Condition:
        """Drop the word list of the clips in `mask`."""
        return Condition(self.reference, self.words, self.null | mask)


@dataclass(frozen=True)
class AVBatch:
    """Latents of real clips with their conditions."""

    latents: AV
    condition: Condition


@dataclass(frozen=True)
class LossOutput:
    """One scalar per parameter group that this step trains, and numbers to log."""

    losses: dict[str, Tensor]
    logs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SamplerSpec:
    """How a checkpoint is sampled; stored with the checkpoint's generations.

    Attributes:
        solver: `euler` and `heun` integrate the multi-step mode, `jump` chains few-step jumps,
            `renoise` predicts x_0 and adds fresh noise at the next level.
        times: decreasing grid from 1 to 0, `steps + 1` values.
        guidance: classifier-free guidance weight w in uncond + w (cond - uncond); 1 is off.
        streaming: False where the sampler needs the whole clip at once.
        off_design: True where the step count was not trained for.
    """

    solver: Solver
    times: tuple[float, ...]
    guidance: float = 1.0
    streaming: bool = True
    off_design: bool = False

    def __post_init__(self) -> None:
        if self.solver not in get_args(Solver):
            raise ValueError(f"a solver is one of {', '.join(get_args(Solver))}, got {self.solver!r}")

    @property
    def steps(self) -> int:
        """Denoising steps per chunk (per clip where the sampler is not streaming)."""
        return len(self.times) - 1
