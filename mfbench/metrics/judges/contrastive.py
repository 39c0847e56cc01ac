"""A small contrastive judge: two networks that put pictures and sound of the same 0.2 s side by side.

Symmetric InfoNCE (van den Oord et al. 2018) over moments of a few clips: negatives are other times of the
same clip, which is what sync is about, and other clips. Neighbours within 40 ms are no negatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mfbench.metrics.judges.moments import MEL_PER_PICTURE, MOUTH_PX, PICTURES, Moments

FloatArray = NDArray[np.float32]

SEEDS = (0, 1, 2)
WIDTH = 32
_TEMPERATURE = 0.07
_STEPS = 200
_CLIPS, _PER_CLIP = 8, 24  # of a batch
_NEAR = 1  # moments of 40 ms
_RATE = 2e-3


class ContrastiveJudge(nn.Module):
    """Unit vectors of 0.2 s of mouth pictures and of 0.2 s of mel."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.lips = nn.Sequential(
            nn.Conv2d(PICTURES, 32, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(64 * (MOUTH_PX[0] // 4) * (MOUTH_PX[1] // 4), WIDTH),
        )
        self.ears = nn.Sequential(
            nn.Conv1d(bands, 96, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv1d(96, 96, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(96 * 3, WIDTH),
        )

    def seen(self, pictures: Tensor) -> Tensor:
        """[moments, 5, 12, 16] => [moments, width]."""
        return functional.normalize(self.lips(pictures), dim=-1)

    def heard(self, sounds: Tensor) -> Tensor:
        """[sounds, 10, bands] => [sounds, width]."""
        return functional.normalize(self.ears(sounds.transpose(1, 2)), dim=-1)

    @torch.no_grad()
    def see(self, moments: Moments) -> FloatArray:
        """Embeddings of the pictures."""
        return np.asarray(self.seen(torch.from_numpy(np.ascontiguousarray(moments.seen))).numpy())

    @torch.no_grad()
    def hear(self, moments: Moments) -> FloatArray:
        """Embeddings of the sounds."""
        return np.asarray(self.heard(torch.from_numpy(np.ascontiguousarray(moments.heard))).numpy())

    def state(self) -> dict[str, FloatArray]:
        """Weights as arrays."""
        return {name: value.numpy() for name, value in self.state_dict().items()}

    @classmethod
    def from_state(cls, state: dict[str, FloatArray]) -> ContrastiveJudge:
        """Rebuild from `state`."""
        judge = cls(state["ears.0.weight"].shape[1])
        judge.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
        return judge.eval()


def fit(clips: Sequence[Moments], seed: int) -> ContrastiveJudge:
    """Train on real clips; the same seed gives the same judge."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = ContrastiveJudge(clips[0].heard.shape[-1])
    optimiser = torch.optim.AdamW(judge.parameters(), lr=_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        pictures, sounds, clip, moment = _batch(clips, generator)
        loss = info_nce(judge.seen(pictures), judge.heard(sounds), clip, moment)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return judge.eval()


def info_nce(seen: Tensor, heard: Tensor, clip: Tensor, moment: Tensor) -> Tensor:
    """Symmetric cross entropy of the right pairs on the diagonal; near moments of one clip do not count."""
    logits = seen @ heard.T / _TEMPERATURE
    near = (clip[:, None] == clip[None]) & ((moment[:, None] - moment[None]).abs() <= _NEAR)
    near.fill_diagonal_(fill_value=False)
    logits = logits.masked_fill(near, float("-inf"))
    target = torch.arange(len(logits))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def _batch(clips: Sequence[Moments], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Moments of a few clips with the sounds of the same time, brightness jittered."""
    pictures, sounds, owners, times = [], [], [], []
    for which in torch.randint(len(clips), (_CLIPS,), generator=generator).tolist():
        chosen = torch.randint(len(clips[which].seen), (_PER_CLIP,), generator=generator)
        light = 1 + 0.2 * (torch.rand(_PER_CLIP, 1, 1, 1, generator=generator) - 0.5)
        rows = chosen.numpy()
        pictures.append(torch.from_numpy(clips[which].seen[rows]) * light)
        sounds.append(torch.from_numpy(clips[which].heard[MEL_PER_PICTURE * rows]))
        owners.append(torch.full((_PER_CLIP,), which))
        times.append(chosen)
    return torch.cat(pictures), torch.cat(sounds), torch.cat(owners), torch.cat(times)
