"""Closed-form linear readers: ridge regression and the linear discriminant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Ridge:
    """y = (x - centre) @ weights + bias."""

    weights: FloatArray
    centre: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class Discriminant:
    """z = (x - centre) @ basis; within-class covariance one; `means` are the classes in z."""

    basis: FloatArray
    centre: FloatArray
    means: FloatArray


def ridge(x: FloatArray, y: FloatArray, penalty: float) -> Ridge:
    """Ridge regression through the smaller Gram matrix; the penalty is relative to its mean diagonal."""
    centre, bias = x.mean(0), y.mean(0)
    x = x - centre
    dual = x.shape[1] > len(x)
    gram = x @ x.T if dual else x.T @ x
    gram[np.diag_indices(len(gram))] += penalty * np.trace(gram) / len(gram)
    target = y - bias
    weights = x.T @ np.linalg.solve(gram, target) if dual else np.linalg.solve(gram, x.T @ target)
    return Ridge(_single(weights), _single(centre), _single(bias))


def discriminant(
    x: FloatArray, labels: NDArray[np.int64], dim: int, *, shrinkage: float, noise: float = 0.0
) -> Discriminant:
    """Linear discriminant with a shared within-class covariance.

    Args:
        x: rows [count, values].
        labels: class of every row, 0..classes-1; an absent class sits at the centre.
        dim: directions kept, at most one less than the classes.
        shrinkage: part of the mean variance added to the diagonal.
        noise: variance of white noise that readings should be robust to.

    Source: Hastie, Tibshirani, Friedman 2009, section 4.3.3.
    """
    centre = x.mean(0)
    x = x - centre
    counts = np.bincount(labels)
    means = np.stack([x[labels == k].mean(0) if n else np.zeros(x.shape[1]) for k, n in enumerate(counts)])
    spread = x - means[labels].astype(np.float32)
    within = (spread.T @ spread).astype(np.float64) / len(x)
    within[np.diag_indices(len(within))] += shrinkage * np.trace(within) / len(within) + noise
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    between = (means @ whiten.T) * np.sqrt(counts / len(x))[:, None]
    directions = np.linalg.svd(between, full_matrices=False)[2][:dim]
    basis = (directions @ whiten).T
    return Discriminant(_single(basis), _single(centre), _single(means @ basis))


def _single(array: NDArray[np.floating]) -> FloatArray:
    return np.asarray(array, dtype=np.float32)
