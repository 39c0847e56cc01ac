"""The network, read top-down: embed, joint blocks, heads.

One class serves every mode: streaming with a cache, teacher forcing (history cache + `own` attention,
which equals the one-pass [clean | noisy] mask), diffusion forcing (`causal`), bidirectional (`full`), and
a branch alone when the other modality is absent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mfbench import options
from mfbench.clip_spec import ClipSpec
from mfbench.models.attention import JointAttention, sided
from mfbench.models.branch import Branch, Modulation
from mfbench.models.kv_cache import KVCache, Layer, Tokens
from mfbench.models.layers import ConditionEmbedding, Prior, ScalarEmbedding
from mfbench.models.masks import visible
from mfbench.models.rope import audio_positions, frequencies, phases, rotate, video_positions
from mfbench.types import AV, Attention, Condition, concatenate

MODALITIES = ("video", "audio")
SIZES = ("dim", "depth", "heads", "mlp_ratio", "condition_dim", "head")  # what an experiment may choose
BRANCH_PARTS = ("branches", "conditions", "times", "steps", "priors")  # what one modality owns


@dataclass(frozen=True, kw_only=True)
class TransformerSpec:
    """Sizes of the network; everything else follows from the `ClipSpec`.

    Attributes:
        head: `data` outputs f itself, `velocity` outputs u with f = x_t - t u, `preconditioned` outputs
            what a Gaussian guess from the reference leaves open (see `layers.Prior`).
    """

    clip: ClipSpec = field(default_factory=ClipSpec)
    dim: Annotated[int, Field(ge=2, le=2**16)] = 96
    depth: Annotated[int, Field(ge=1, le=1000)] = 4
    heads: Annotated[int, Field(ge=1, le=1024)] = 4
    mlp_ratio: Annotated[int, Field(ge=1, le=64)] = 3
    condition_dim: Annotated[int, Field(ge=2, le=2**16)] = 128
    reference_channels: int = 39
    vocabulary: int = 96
    slots: int = 4
    head: Literal["data", "velocity", "preconditioned"] = "preconditioned"

    def __post_init__(self) -> None:
        options.check(type(self), {name: getattr(self, name) for name in SIZES})
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim={self.dim} must be heads={self.heads} times an even number")

    def to_json(self) -> dict[str, object]:
        """Plain values to store beside the weights."""
        return {**asdict(self), "clip": self.clip.to_json()}


@dataclass(frozen=True)
class _Geometry:
    """What follows from the positions of a call and its history."""

    turn: Tensor
    sight: Tensor | None
    sides: Tensor


class AVTransformer(nn.Module):
    """u(x_t, t, d; history, condition) through its head output f (see `flows.path`)."""

    rates: Tensor

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec = spec
        clip, dim = spec.clip, spec.dim
        self.tokens = {"video": clip.video_tokens_per_chunk, "audio": clip.audio_tokens_per_chunk}
        channels = {"video": clip.video_channels, "audio": clip.audio_channels}
        self.branches = nn.ModuleDict(
            {
                name: Branch(
                    dim=dim,
                    depth=spec.depth,
                    mlp_ratio=spec.mlp_ratio,
                    channels=channels[name],
                    tokens=self.tokens[name],
                    condition_dim=spec.condition_dim,
                )
                for name in MODALITIES
            }
        )
        self.attention = nn.ModuleList(JointAttention(spec.heads) for _ in range(spec.depth))
        self.conditions = nn.ModuleDict({name: self._condition_embedding() for name in MODALITIES})
        self.times = nn.ModuleDict({name: ScalarEmbedding(spec.condition_dim) for name in MODALITIES})
        self.steps = nn.ModuleDict(
            {name: ScalarEmbedding(spec.condition_dim, starts_closed=True) for name in MODALITIES}
        )
        self.priors = nn.ModuleDict({n: Prior(spec.reference_channels, channels[n]) for n in MODALITIES})
        rates = frequencies(dim // spec.heads, spatial=clip.video_grid != (1, 1))
        self.register_buffer("rates", rates, persistent=False)

    def _branch(self, name: str) -> Branch:
        return cast(Branch, self.branches[name])

    def _condition_embedding(self) -> ConditionEmbedding:
        spec = self.spec
        return ConditionEmbedding(
            spec.condition_dim,
            reference_channels=spec.reference_channels,
            vocabulary=spec.vocabulary,
            slots=spec.slots,
        )

    def new_cache(self, *, window: int | None = None, sinks: int = 0) -> KVCache:
        """An empty history."""
        return KVCache(window=window, sinks=sinks)

    def encode(self, x: AV, condition: Condition, start: int, cache: KVCache, time: float = 0.0) -> KVCache:
        """Append chunks start, start+1, .. to the history, stamped with `time` (0: clean)."""
        stamp = x.map(lambda z: torch.full(z.shape[:2], time, dtype=z.dtype, device=z.device))
        tokens = self._tokens(x, start, history=True)
        layers: tuple[Layer, ...] = self(
            x, stamp, stamp.map(torch.zeros_like), condition, tokens, cache, "own"
        )
        return cache.appended(layers, tokens)

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
        """Head output f of chunks start, start+1, .. given the history in `cache`."""
        f: AV = self(x_t, t, d, condition, self._tokens(x_t, start), cache, attention)
        return f

    def denoise_on(self, history: AV, x_t: AV, t: AV, d: AV, condition: Condition) -> AV:
        """Head output f of all chunks in one pass over [history | noisy chunks].

        Equals encoding the history into a cache and denoising on it, with half the calls: for training.
        """
        zero = t.map(torch.zeros_like)
        tokens = self._tokens(history, 0, history=True).followed_by(self._tokens(x_t, 0))
        twice = Condition(condition.reference, torch.cat([condition.words] * 2, 1), condition.null)
        both = (concatenate([a, b]) for a, b in ((history, x_t), (zero, t), (zero, d)))
        f: AV = self(*both, twice, tokens, self.new_cache(), "own")
        return f.slice(x_t.chunks, 2 * x_t.chunks)

    def forward(
        self,
        x: AV,
        t: AV,
        d: AV,
        condition: Condition,
        tokens: Tokens,
        cache: KVCache,
        attention: Attention,
    ) -> AV | tuple[Layer, ...]:
        """Head output f; where all tokens are history, the keys and values of this call per block.

        One `forward` for both, so that a hook on the module counts every network call.
        """
        vectors = self._vectors(t, d, condition)
        hidden = {name: self._branch(name).tokens(z, vectors[name]) for name, z in x.parts().items()}
        modulation = {name: self._branch(name).modulations(vectors[name]) for name in hidden}
        where = self._geometry(x, tokens, cache, attention)
        only_history = bool(tokens.history.all())
        layers: list[Layer] = []
        for i in range(self.spec.depth):
            here = {name: blocks[i] for name, blocks in modulation.items()}
            q, own = self._project(i, hidden, here, where)
            layers.append(own)
            if only_history and len(layers) == self.spec.depth:
                return tuple(layers)
            k, v = cache.followed_by(i, own)
            attended = self.attention[i](q, k, v, where.sight, where.sides)
            hidden = self._finish(i, hidden, attended, here)
        raw = {name: self._branch(name).read_out(h, vectors[name]) for name, h in hidden.items()}
        return self._head(AV(raw.get("video"), raw.get("audio")), x, t, condition.reference)

    def _tokens(self, x: AV, start: int, *, history: bool = False) -> Tokens:
        """Chunk, modality and kind of each token of a call, video first; on the CPU, they only make masks."""
        chunks = torch.arange(start, start + x.chunks)
        counts = {name: self.tokens[name] for name in x.parts()}
        chunk = torch.cat([chunks.repeat_interleave(n) for n in counts.values()])
        kind = [torch.full((n * x.chunks,), MODALITIES.index(name)) for name, n in counts.items()]
        return Tokens(chunk, torch.cat(kind), torch.full_like(chunk, history, dtype=torch.bool))

    def _vectors(self, t: AV, d: AV, condition: Condition) -> dict[str, Tensor]:
        """One vector per modality and chunk from time, jump size and condition: [b, chunks, 1, dim]."""
        sizes = d.parts()
        return {
            name: (
                self.times[name](time)
                + self.steps[name](sizes[name])
                + self.conditions[name](condition.reference, condition.words, condition.null)
            )[:, :, None]
            for name, time in t.parts().items()
        }

    def _geometry(self, x: AV, tokens: Tokens, cache: KVCache, attention: Attention) -> _Geometry:
        """Positions and masks of a call; token order is video then audio, each [history | noisy]."""
        key = (tuple(x.parts()), int(tokens.chunk[0]), x.chunks, bool(tokens.history[0]), attention)
        found = cache.scratch.get(key)
        if found is None or found.sides.dtype != x.any.dtype:
            found = cache.scratch[key] = self._placed(x, tokens, cache, attention)
        return cast(_Geometry, found)

    def _placed(self, x: AV, tokens: Tokens, cache: KVCache, attention: Attention) -> _Geometry:
        device = x.any.device
        tokens = tokens.take(torch.argsort(tokens.modality, stable=True))
        keys = cache.tokens.followed_by(tokens)
        sight = visible(tokens, keys, attention, cache.window, cache.sinks)
        where = []
        for i, (name, place) in enumerate((("video", video_positions), ("audio", audio_positions))):
            mine = tokens.chunk[tokens.modality == i]
            if len(mine):
                where.append(place(self.spec.clip, mine[:: self.tokens[name]].to(device)))
        return _Geometry(
            phases(torch.cat(where).to(self.rates) @ self.rates.T)[:, None, None],
            None if bool(sight.all()) else sight.to(device),
            functional.one_hot(tokens.modality, len(MODALITIES)).to(x.any),
        )

    def _project(
        self,
        index: int,
        hidden: dict[str, Tensor],
        modulation: dict[str, Modulation],
        where: _Geometry,
    ) -> tuple[Tensor, Layer]:
        """Rotated, normalised queries and keys, and values of all tokens: [batch, heads, tokens, dim]."""
        parts = [self._branch(n).block(index).project(h, modulation[n]) for n, h in hidden.items()]
        qk, v = torch.cat(parts, 1).unflatten(-1, (3, self.spec.heads, -1)).split([2, 1], 2)
        q, k = rotate(functional.layer_norm(qk, qk.shape[-1:]), where.turn).unbind(2)
        return q.transpose(1, 2), sided(k, v[:, :, 0], where.sides)

    def _finish(
        self, index: int, hidden: dict[str, Tensor], attended: Tensor, modulation: dict[str, Modulation]
    ) -> dict[str, Tensor]:
        flat = attended.transpose(1, 2).flatten(2)
        shares = flat.split([h.shape[1] * h.shape[2] for h in hidden.values()], dim=1)
        return {
            name: self._branch(name).block(index).finish(h, share, modulation[name])
            for (name, h), share in zip(hidden.items(), shares, strict=True)
        }

    def _head(self, net: AV, x: AV, t: AV, reference: Tensor) -> AV:
        """Turn the raw output into f."""
        match self.spec.head:
            case "data":
                return net
            case "velocity":
                return x - net.scale(t)
            case "preconditioned":
                given, times, raw = x.parts(), t.parts(), net.parts()
                f = {n: self.priors[n](given[n], times[n], raw[n], reference) for n in given}
                return AV(f.get("video"), f.get("audio"))
        raise ValueError(f"a head is data, velocity or preconditioned, got {self.spec.head!r}")

    def load_branch(self, other: AVTransformer, name: str) -> None:
        """Take one modality's weights (branch, condition, time and step embeddings) from another network."""
        for part in BRANCH_PARTS:
            getattr(self, part)[name].load_state_dict(getattr(other, part)[name].state_dict())
