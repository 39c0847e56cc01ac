from __future__ import annotations

import numpy as np

from mfbench.metrics.readers import linear


def test_both_forms_of_the_ridge_agree_with_the_definition() -> None:
    rng = np.random.default_rng(0)
    for rows, values in ((30, 8), (8, 30)):
        x = rng.standard_normal((rows, values)).astype(np.float32)
        y = rng.standard_normal((rows, 3)).astype(np.float32)
        found = linear.ridge(x, y, 0.1)
        centred = (x - x.mean(0)).astype(np.float64)
        penalty = 0.1 * (centred**2).sum() / min(rows, values)
        wanted = np.linalg.solve(centred.T @ centred + penalty * np.eye(values), centred.T @ (y - y.mean(0)))
        np.testing.assert_allclose(found.weights, wanted, atol=1e-4)
        np.testing.assert_allclose(found.bias, y.mean(0), atol=1e-6)


def test_the_discriminant_whitens_within_and_separates_between() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 400)
    mixing = rng.standard_normal((6, 6))
    x = rng.standard_normal((1200, 6)) @ mixing
    x[:, 0] += 5.0 * labels
    found = linear.discriminant(x.astype(np.float32), labels, 2, shrinkage=0.0)
    z = (x - found.centre) @ found.basis
    within = z - found.means[labels]
    np.testing.assert_allclose(within.T @ within / 1200, np.eye(2), atol=1e-3)
    nearest = ((z[:, None] - found.means) ** 2).sum(-1).argmin(1)
    assert (nearest == labels).mean() > 0.9
    noisy = linear.discriminant(x.astype(np.float32), labels, 2, shrinkage=0.0, noise=100.0)
    assert np.abs(noisy.basis).max() < np.abs(found.basis).max()
