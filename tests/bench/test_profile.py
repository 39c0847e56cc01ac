from __future__ import annotations

import torch
from torch.nn import functional

from mfbench.bench.profile import Products, measure, rollouts, training_step
from mfbench.clip_spec import ClipSpec
from tests.conftest import make_network


def _bmm(products: Products) -> int:
    """Multiply-adds of all batched products found."""
    return sum(
        count * a[0] * a[1] * a[2] * b[2]
        for (func, (a, b)), count in products.found.items()
        if func is torch.ops.aten.bmm.default
    )


def test_fused_attention_counts_two_products_forward_and_five_backward() -> None:
    q, k, v = (torch.randn(2, 3, n, 8, requires_grad=True) for n in (5, 7, 7))
    one = 2 * 3 * 5 * 7 * 8
    with Products() as forward:
        out = functional.scaled_dot_product_attention(q, k, v)
    with Products() as backward:
        out.sum().backward()
    assert _bmm(forward) == 2 * one
    assert _bmm(backward) == 5 * one


def test_a_call_of_one_product_takes_about_as_long_as_that_product() -> None:
    a, b = torch.randn(400, 400), torch.randn(400, 400)
    row = measure("product", lambda: torch.mm(a, b), tokens=400)
    assert 0.05 < row.ratio < 20


def test_the_tables_cover_training_and_both_rollouts(clip_spec: ClipSpec) -> None:
    network = make_network(clip_spec)
    rows = [training_step(network, 2, 3), *rollouts(network, 2, 3, 2)]
    assert [row.name.split(",")[0] for row in rows] == ["training step", "cached rollout", "uncached rollout"]
    assert all(row.seconds > 0 and row.products_s > 0 for row in rows)
