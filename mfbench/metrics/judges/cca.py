"""Ridge canonical correlation of mouth pictures and sound: deterministic, fitted in a second.

Source: Vinod 1976 (canonical ridge). Both sides are reduced to 64 principal components first. Likeness is the
cosine of the weighted canonical variates: a product would grow with how much moves, however well it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfbench.metrics.judges.moments import MEL_PER_PICTURE, Moments

FloatArray = NDArray[np.float32]

COMPONENTS = 64
CANONICAL = 8
_RIDGE = 1e-2


@dataclass(frozen=True)
class CCAJudge:
    """Linear maps of both sides to canonical variates weighted by the root of their correlation.

    Attributes:
        seen_mean, heard_mean: of flattened moments.
        seen_map, heard_map: [values, 8].
        correlation: canonical correlations, [8].
    """

    seen_mean: FloatArray
    heard_mean: FloatArray
    seen_map: FloatArray
    heard_map: FloatArray
    correlation: FloatArray

    @classmethod
    def fit(cls, clips: Sequence[Moments]) -> Self:
        """Fit on moments of real clips and the sounds of the same time."""
        seen = np.concatenate([_flat(clip.seen) for clip in clips]).astype(np.float64)
        heard = np.concatenate([_flat(clip.heard[::MEL_PER_PICTURE][: len(clip.seen)]) for clip in clips])
        heard = heard.astype(np.float64)
        seen_mean, heard_mean = seen.mean(0), heard.mean(0)
        seen_basis, heard_basis = _whitening(seen - seen_mean), _whitening(heard - heard_mean)
        x, y = (seen - seen_mean) @ seen_basis, (heard - heard_mean) @ heard_basis
        left, correlation, right = np.linalg.svd(x.T @ y / len(x))
        scale = np.sqrt(correlation[:CANONICAL] / correlation[:CANONICAL].sum())
        return cls(
            seen_mean.astype(np.float32),
            heard_mean.astype(np.float32),
            (seen_basis @ left[:, :CANONICAL] * scale).astype(np.float32),
            (heard_basis @ right[:CANONICAL].T * scale).astype(np.float32),
            correlation[:CANONICAL].astype(np.float32),
        )

    def see(self, moments: Moments) -> FloatArray:
        """Embeddings of the pictures, unit vectors [moments, 8]."""
        return _unit((_flat(moments.seen) - self.seen_mean) @ self.seen_map)

    def hear(self, moments: Moments) -> FloatArray:
        """Embeddings of the sounds, unit vectors [sounds, 8]."""
        return _unit((_flat(moments.heard) - self.heard_mean) @ self.heard_map)

    def state(self) -> dict[str, FloatArray]:
        """Everything that `fit` found."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _unit(vectors: NDArray[np.floating]) -> FloatArray:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-6), dtype=np.float32)


def _flat(values: FloatArray) -> FloatArray:
    return values.reshape(len(values), -1)


def _whitening(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leading principal directions, scaled to unit variance with a ridge."""
    variance, directions = np.linalg.eigh(rows.T @ rows / len(rows))
    keep = slice(None, -COMPONENTS - 1, -1)
    ridge = _RIDGE * variance[keep].mean()
    return np.asarray(directions[:, keep] / np.sqrt(variance[keep] + ridge))
