"""Speed tables: the training step and the rollout against their own matrix products."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mfbench.flows.rollout import bind, rollout
from mfbench.flows.samplers import Denoiser, sample
from mfbench.methods import objectives
from mfbench.methods.contexts import few_step_spec, on_history
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, Condition

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm")
ATTENTION = "_scaled_dot_product_flash_attention_for_cpu"
REPEATS = 5


@dataclass(frozen=True)
class Row:
    """One line of a speed table.

    Attributes:
        seconds: median time of one call.
        products_s: the call's matrix products, each timed alone at its shape, summed.
        tokens: tokens that the call processes.
    """

    name: str
    seconds: float
    products_s: float
    tokens: int

    @property
    def ratio(self) -> float:
        """Time over the time of the matrix products alone."""
        return self.seconds / self.products_s


class Products(TorchDispatchMode):
    """Collects the matrix products of a call with their shapes; fused attention counts as the products in it.

    Attributes:
        found: how often each (operator, shapes) occurred.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[tuple[Any, tuple[tuple[int, ...], ...]]] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in PRODUCTS:
            shapes = tuple(tuple(a.shape) for a in args if isinstance(a, Tensor))
            self.found[(func, shapes)] += 1
        elif name == ATTENTION:
            self._attention(args[0], args[1], forward=True)
        elif name == f"{ATTENTION}_backward":
            self._attention(args[1], args[2], forward=False)
        return func(*args, **(kwargs or {}))

    def _attention(self, queries: Tensor, keys: Tensor, *, forward: bool) -> None:
        """Forward: q k' and p v. Backward: q k' again, dp = do v', dv = p' do, dq = ds k, dk = ds' q."""
        rows, (m, d), n = queries.shape[0] * queries.shape[1], queries.shape[2:], keys.shape[2]
        logits, values = ((rows, m, d), (rows, d, n)), ((rows, m, n), (rows, n, d))
        transposed = ((rows, n, m), (rows, m, d))
        counts = {logits: 1, values: 1} if forward else {logits: 2, values: 1, transposed: 2}
        for shapes, count in counts.items():
            self.found[(torch.ops.aten.bmm.default, shapes)] += count


def measure(name: str, call: Callable[[], object], tokens: int) -> Row:
    """Time a call and the matrix products inside it."""
    with Products() as products:
        call()
    alone = sum(count * _median(_product(func, shapes)) for (func, shapes), count in products.found.items())
    return Row(name, _median(call), alone, tokens)


def _product(func: Any, shapes: tuple[tuple[int, ...], ...]) -> Callable[[], object]:
    operands = [torch.randn(shape) for shape in shapes]
    return lambda: func(*operands)


def _median(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return sorted(times)[REPEATS // 2]


def random_clips(network: AVTransformer, batch: int, chunks: int) -> tuple[AV, Condition]:
    """Latents and conditions of the right shape; speed does not depend on their values."""
    spec = network.spec
    generator = torch.Generator().manual_seed(0)

    def draw(tokens: int, channels: int) -> Tensor:
        return torch.randn(batch, chunks, tokens, channels, generator=generator)

    latents = AV(
        draw(spec.clip.video_tokens_per_chunk, spec.clip.video_channels),
        draw(spec.clip.audio_tokens_per_chunk, spec.clip.audio_channels),
    )
    reference = torch.randn(batch, spec.reference_channels, generator=generator)
    words = torch.randint(0, spec.vocabulary + 1, (batch, chunks, spec.slots), generator=generator)
    return latents, Condition(reference, words, torch.zeros(batch, dtype=torch.bool))


def training_step(network: AVTransformer, batch: int, chunks: int) -> Row:
    """One teacher-forcing step with its optimiser."""
    latents, condition = random_clips(network, batch, chunks)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    generator = torch.Generator().manual_seed(0)

    def step() -> None:
        t = objectives.shared_times(latents, generator, shift=1.0)
        point = objectives.noised(latents, t, generator)
        errors = objectives.flow_matching(on_history(network, latents, condition), latents, point)
        optimiser.zero_grad()
        objectives.weighted(errors).backward()
        optimiser.step()

    clip = network.spec.clip
    tokens = batch * chunks * (clip.video_tokens_per_chunk + clip.audio_tokens_per_chunk)
    return measure(f"training step, batch {batch}, {chunks} chunks", step, tokens)


def rollouts(network: AVTransformer, batch: int, chunks: int, steps: int) -> list[Row]:
    """The cached rollout, and the same clip with the history recomputed at every call."""
    latents, condition = random_clips(network, batch, chunks)
    clip = network.spec.clip
    tokens = batch * chunks * (clip.video_tokens_per_chunk + clip.audio_tokens_per_chunk)
    spec = few_step_spec(steps)

    @torch.no_grad()
    def cached() -> None:
        rollout(network, condition, latents, spec, torch.Generator().manual_seed(0))

    @torch.no_grad()
    def uncached() -> None:
        for k in range(chunks):
            denoiser = _without_cache(network, latents, condition, k)
            sample(denoiser, latents.chunk(k), spec, torch.Generator().manual_seed(0))

    return [
        measure(f"cached rollout, batch {batch}, {chunks} chunks, {steps} steps", cached, tokens),
        measure(f"uncached rollout, batch {batch}, {chunks} chunks, {steps} steps", uncached, tokens),
    ]


def _without_cache(network: AVTransformer, latents: AV, condition: Condition, k: int) -> Denoiser:
    """A denoiser of chunk k that encodes the whole history anew at every call."""

    def call(x_t: AV, t: AV, d: AV) -> AV:
        cache = network.new_cache()
        if k:
            cache = network.encode(latents.slice(0, k), condition.slice(0, k), 0, cache)
        return bind(network, condition.slice(k, k + 1), k, cache)(x_t, t, d)

    return call
