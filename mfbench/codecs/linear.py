"""A fitted linear code: the leading principal components of rows of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from torch import Tensor

from mfbench.codecs.base import FloatArray, to_array, to_tensor

_MAX_ROWS = 20000  # enough for a stable basis; more only costs time
_FIELDS = ("mean", "basis", "scale")


@dataclass(frozen=True)
class LinearCode:
    """x => (x - mean) @ basis / scale.

    Attributes:
        mean: [values].
        basis: orthonormal columns, [values, channels].
        scale: standard deviation that a channel is divided by, [channels].
    """

    mean: FloatArray
    basis: FloatArray
    scale: FloatArray

    @classmethod
    def fit(cls, rows: FloatArray, channels: int, whitening: float) -> Self:
        """Principal components of rows [count, values].

        `whitening` = 1 gives every channel unit variance, 0 divides all by one common number and so keeps
        the metric of the rows; in between is geometric.

        Raises:
            ValueError: where the rows cannot carry that many channels.
        """
        if channels > min(rows.shape[1], len(rows) - 1):
            raise ValueError(
                f"{channels} channels were asked of {len(rows)} rows of {rows.shape[1]} values; "
                "give more training clips or fewer channels"
            )
        picked = rows[:: max(1, len(rows) // _MAX_ROWS)].astype(np.float64)
        mean = picked.mean(0)
        basis, variance = _principal(picked - mean, channels)
        deviation = np.sqrt(np.maximum(variance, 1e-12))
        common = np.sqrt(np.mean(deviation**2))
        scale = deviation**whitening * common ** (1 - whitening)
        return cls(mean.astype(np.float32), basis.astype(np.float32), scale.astype(np.float32))

    def project(self, values: FloatArray) -> FloatArray:
        """[..., values] => [..., channels]."""
        return np.asarray((values - self.mean) @ self.basis / self.scale, dtype=np.float32)

    def reconstruct(self, channels: FloatArray) -> FloatArray:
        """[..., channels] => [..., values], the nearest point of the subspace."""
        return np.asarray((channels * self.scale) @ self.basis.T + self.mean, dtype=np.float32)

    def state(self) -> dict[str, Tensor]:
        """The three arrays as tensors."""
        return {name: to_tensor(getattr(self, name)) for name in _FIELDS}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> Self:
        """Rebuild from `state`."""
        missing = [name for name in _FIELDS if name not in state]
        if missing:
            raise ValueError(f"the codec state lacks {missing}; it holds {sorted(state)}")
        return cls(*(to_array(state[name]) for name in _FIELDS))


def _principal(centred: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Leading directions [values, channels] and their variances, through the smaller Gram matrix."""
    count, values = centred.shape
    if values <= count:
        variance, directions = np.linalg.eigh(centred.T @ centred / (count - 1))
        basis = directions[:, ::-1][:, :channels]
    else:
        variance, mixtures = np.linalg.eigh(centred @ centred.T / (count - 1))
        basis = centred.T @ mixtures[:, ::-1][:, :channels]
        basis /= np.linalg.norm(basis, axis=0)
    # LAPACK's signs are arbitrary; a fixed sign makes latents comparable between machines.
    signs = np.sign(basis[np.abs(basis).argmax(0), np.arange(channels)])
    return basis * signs, variance[::-1][:channels]
