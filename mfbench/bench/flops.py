"""FLOPs of a rollout, counted operator by operator, and the names of those that nobody can count."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mfbench.bench.latents import Codecs
from mfbench.bench.playback import decode_chunk
from mfbench.bench.sampling import Sampler
from mfbench.codecs.streaming_vocoder import StreamingVocoder
from mfbench.models.av_transformer import AVTransformer
from mfbench.models.kv_cache import KVCache
from mfbench.types import AV, Attention, Condition

# Operators that move, make, choose or order values, or work value by value, without a tag that says so.
MOVES = (
    "_local_scalar_dense",
    "_to_copy",
    "_unsafe_view",
    "all",
    "any",
    "arange",
    "cat",
    "clone",
    "constant_pad_nd",
    "copy_",
    "embedding",
    "empty",
    "empty_like",
    "empty_strided",
    "equal",
    "fill_",
    "full",
    "full_like",
    "gather",
    "index",
    "index_put_",
    "index_select",
    "lift_fresh",
    "new_empty",
    "new_full",
    "new_ones",
    "new_zeros",
    "ones",
    "ones_like",
    "polar",
    "rand",
    "randn",
    "repeat",
    "scalar_tensor",
    "scatter_",
    "sort",
    "stack",
    "zero_",
    "zeros",
    "zeros_like",
)
DECODED = 2  # chunks whose decoding is counted: the first, and one with sound before it


class FlopMeter(TorchDispatchMode):
    """Adds up what torch's own formulas give for each operator (multiply and add count 2).

    torch's counter takes an operator without a formula for free, without a word; this one keeps its name.

    Attributes:
        flops: the sum.
        uncounted: operators without a formula, views, copies and pointwise ones left out.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0.0
        self.uncounted: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func.overloadpacket)
        if formula is None:
            with self:
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        out = func(*args, **kwargs)
        if formula is not None:
            self.flops += float(formula(*args, **kwargs, out_val=out))
        elif not _is_free(func):
            self.uncounted.add(func.overloadpacket.__name__)
        return out


def _is_free(func: Any) -> bool:
    tagged = torch.Tag.pointwise in func.tags or torch.Tag.inplace_view in func.tags
    return bool(func.is_view) or tagged or func.overloadpacket.__name__ in MOVES


@dataclass(frozen=True)
class RolloutFlops:
    """FLOPs of one rollout.

    Attributes:
        network: of all calls of the network, writing the history included.
        decoding: of the decoders, as far as they run in torch.
        uncounted: names of operators that ran and have no formula; what runs in numpy has no name here.
    """

    network: float
    decoding: float
    uncounted: tuple[str, ...]


@dataclass
class _Counted:
    """A network, as the rollout sees it, that counts each kind of call once and then goes by its shape."""

    network: AVTransformer
    known: dict[tuple[Any, ...], float] = field(default_factory=dict)
    uncounted: set[str] = field(default_factory=set)
    total: float = 0.0

    def new_cache(self, *, window: int | None = None, sinks: int = 0) -> KVCache:
        return self.network.new_cache(window=window, sinks=sinks)

    def encode(self, x: AV, condition: Condition, start: int, cache: KVCache, time: float = 0.0) -> KVCache:
        with _Once(self, ("encode", x.batch, x.chunks, len(cache.tokens.chunk))):
            return self.network.encode(x, condition, start, cache, time)

    def denoise(
        self,
        x_t: AV,
        t: AV,
        d: AV,
        condition: Condition,
        start: int,
        cache: KVCache,
        attention: Attention = "own",
    ) -> AV:
        with _Once(self, ("denoise", x_t.batch, x_t.chunks, len(cache.tokens.chunk), attention)):
            return self.network.denoise(x_t, t, d, condition, start, cache, attention)


class _Once:
    """Counts the block below for a shape that is new, and adds the known number for any other."""

    def __init__(self, counted: _Counted, shape: tuple[Any, ...]) -> None:
        self.counted, self.shape = counted, shape
        self.meter = None if shape in counted.known else FlopMeter()

    def __enter__(self) -> None:
        if self.meter is not None:
            self.meter.__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, *error: object) -> None:
        if self.meter is not None:
            self.meter.__exit__(*error)  # type: ignore[no-untyped-call]
            self.counted.known[self.shape] = self.meter.flops
            self.counted.uncounted |= self.meter.uncounted
        self.counted.total += self.counted.known[self.shape]


def rollout_flops(sampler: Sampler, codecs: Codecs, condition: Condition, seed: int = 0) -> RolloutFlops:
    """FLOPs of streaming one clip (batch 1): every network call and the torch part of the decoders.

    Attention is counted as the two products that it consists of, whatever kernel runs otherwise.
    """
    device = next(sampler.network.parameters()).device
    counted = _Counted(sampler.network)
    watched = replace(sampler, network=cast(AVTransformer, counted))
    chunks = condition.words.shape[1]
    noise = sampler.noise(1, chunks, seed).map(lambda z: z.to(device))
    given = Condition(*(part.to(device) for part in (condition.reference, condition.words, condition.null)))
    with sdpa_kernel(SDPBackend.MATH):
        clip = watched.clip(given, noise, seed)
    decoding, uncounted = _decoding(codecs, clip, seed)
    return RolloutFlops(counted.total, decoding, tuple(sorted(counted.uncounted | uncounted)))


def _decoding(codecs: Codecs, clip: AV, seed: int) -> tuple[float, set[str]]:
    """FLOPs of decoding a clip chunk by chunk; all chunks after the first cost the same."""
    vocoder = StreamingVocoder(torch.Generator().manual_seed(seed))
    found, uncounted = [], set[str]()
    for k in range(min(DECODED, clip.chunks)):
        with torch.inference_mode(), FlopMeter() as meter:
            decode_chunk(codecs, clip.chunk(k), vocoder)
        found.append(meter.flops)
        uncounted |= meter.uncounted
    return found[0] + found[-1] * (clip.chunks - 1), uncounted
