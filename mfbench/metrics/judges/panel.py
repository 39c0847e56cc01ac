"""All learned judges of sync together: fitted, stored, applied to clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.judges import contrastive
from mfbench.metrics.judges.cca import CCAJudge
from mfbench.metrics.judges.contrastive import ContrastiveJudge
from mfbench.metrics.judges.moments import Moments, likeness_curve, moments
from mfbench.metrics.level import noisy

FloatArray = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_DEPTH = 5.0  # natural log units, 43 dB


@dataclass(frozen=True)
class Judged:
    """Embeddings of the moments of clips by every judge.

    Attributes:
        cca_seen, cca_heard: [clips, moments, 8] and [clips, sounds, 8].
        net_seen, net_heard: [clips, judges, moments, width] and [clips, judges, sounds, width].
    """

    cca_seen: FloatArray
    cca_heard: FloatArray
    net_seen: FloatArray
    net_heard: FloatArray

    def cca_curves(self) -> FloatArray:
        """Likeness against lag, [clips, lags]."""
        pairs = zip(self.cca_seen, self.cca_heard, strict=True)
        return np.stack([likeness_curve(seen, heard) for seen, heard in pairs])

    def net_curves(self) -> FloatArray:
        """Likeness against lag by each network, [clips, judges, lags]."""
        return np.stack(
            [
                np.stack([likeness_curve(s, h) for s, h in zip(seen, heard, strict=True)])
                for seen, heard in zip(self.net_seen, self.net_heard, strict=True)
            ]
        )

    def with_sound_of(self, clips: NDArray[np.int64]) -> Judged:
        """The same pictures with the sound of other clips."""
        return Judged(self.cca_seen, self.cca_heard[clips], self.net_seen, self.net_heard[clips])


@dataclass(frozen=True)
class JudgePanel:
    """The canonical correlation judge and three networks from different seeds."""

    cca: CCAJudge
    nets: tuple[ContrastiveJudge, ...]

    @classmethod
    def fit(cls, mouths: Pixels, mel: FloatArray, frame_rate_hz: float) -> Self:
        """Fit on mouth pictures [clips, frames, 12, 16] and log-mel [clips, mel_frames, bands]."""
        heard = np.concatenate([mel, noisy(mel)])  # a judge of sync must not mind a little hiss
        clips = _moments(np.concatenate([mouths, mouths]), heard, frame_rate_hz)
        return cls(CCAJudge.fit(clips), tuple(contrastive.fit(clips, seed) for seed in contrastive.SEEDS))

    def judge(self, mouths: Pixels, mel: FloatArray, frame_rate_hz: float) -> Judged:
        """Embeddings of clips, shapes as in `fit`."""
        clips = _moments(mouths, mel, frame_rate_hz)
        return Judged(
            np.stack([self.cca.see(clip) for clip in clips]),
            np.stack([self.cca.hear(clip) for clip in clips]),
            np.stack([np.stack([net.see(clip) for net in self.nets]) for clip in clips]),
            np.stack([np.stack([net.hear(clip) for net in self.nets]) for clip in clips]),
        )

    def state(self) -> dict[str, FloatArray]:
        """Everything that `fit` found."""
        arrays = {f"cca.{name}": value for name, value in self.cca.state().items()}
        for index, net in enumerate(self.nets):
            arrays |= {f"net{index}.{name}": value for name, value in net.state().items()}
        return arrays

    @classmethod
    def from_state(cls, state: dict[str, FloatArray]) -> Self:
        """Rebuild from `state`."""

        def part(prefix: str) -> dict[str, FloatArray]:
            return {name[len(prefix) :]: array for name, array in state.items() if name.startswith(prefix)}

        nets = [ContrastiveJudge.from_state(part(f"net{i}.")) for i in range(len(contrastive.SEEDS))]
        return cls(CCAJudge(**part("cca.")), tuple(nets))


def _moments(mouths: Pixels, mel: FloatArray, frame_rate_hz: float) -> Sequence[Moments]:
    return [
        moments(_evenly_lit(mouth), _evenly_loud(sound), frame_rate_hz)
        for mouth, sound in zip(mouths, mel, strict=True)
    ]


def _evenly_lit(mouth: Pixels) -> FloatArray:
    """Without the light of the clip: brightness of mean 0 and spread 1 over the clip."""
    values = mouth.astype(np.float32)
    return np.asarray((values - values.mean()) / (values.std() + 1.0))


def _evenly_loud(mel: FloatArray) -> FloatArray:
    """Log-mel relative to the clip's loud moments, nothing below `_DEPTH`: neither gain nor hiss counts."""
    loud = np.quantile(mel.max(1), 0.9)
    return np.asarray((np.maximum(mel - loud, -_DEPTH) + _DEPTH / 2) / (_DEPTH / 2), dtype=np.float32)
