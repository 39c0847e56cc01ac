"""The generate stage: every prompt of the suite at one step count and one sampling seed, as latents."""

from __future__ import annotations

from dataclasses import asdict, astuple
from typing import Any

from safetensors.torch import load_file, save_file

from mfbench.bench import clips
from mfbench.bench.latents import fitted
from mfbench.bench.sampling import CallCounter, Sampler, conditions, sampler_of
from mfbench.bench.stage import Parent, StageContext, StageResult
from mfbench.training.checkpoints import load_network
from mfbench.types import AV, Condition

VERSION = 3


def run(context: StageContext) -> StageResult:
    """Write `latents.safetensors`; where asked, also `long.safetensors` and `repeats.safetensors`."""
    sampler = load_sampler(context)
    counter = CallCounter(1)
    chunks = _generate(context, sampler, "test", "latents", counter)
    per_clip_chunk = 1 if not sampler.spec.streaming else chunks
    media_s = chunks * float(sampler.network.spec.clip.chunk_seconds)
    metrics = {
        "nfe_per_chunk": _count(counter.denoising / per_clip_chunk, "network calls per chunk"),
        "nfe_cache_per_chunk": _count(counter.cache / per_clip_chunk, "cache passes per chunk"),
        "nfe_per_media_s": _count((counter.denoising + counter.cache) / media_s, "network calls per media s"),
    }
    if context.fields["long"] and sampler.spec.streaming:
        _generate(context, sampler, "long", "long", CallCounter(1))
    if context.fields["repeats"]:
        _repeat(context, sampler)
    return StageResult({"sampler": asdict(sampler.spec)}, metrics)


def load_sampler(context: StageContext) -> Sampler:
    """The checkpoint behind a generate or time stage with its method's sampler."""
    train = context.parents["train"]
    network = load_network(train.folder / "ema.safetensors")
    options = {**train.spec.fields["options"], **context.fields["options"]}
    return sampler_of(context.spec.component, options, network, int(context.fields["steps"]))


def _generate(context: StageContext, sampler: Sampler, part: str, name: str, counter: CallCounter) -> int:
    """Generate one part of the test material; returns its length in chunks."""
    real = clips.load(context.parents["test"].folder / f"{part}.npz")
    codecs, seed = fitted(context.parents["codec"]), int(context.fields["sample_seed"])
    condition = conditions(real, codecs.encode(real).frame_reference[:, 0])
    count, chunks = real.words.shape[:2]
    counter.batch = count
    handle = counter.watch(sampler.network)
    made = sampler.clip(condition, sampler.noise(count, chunks, seed), seed)
    handle.remove()
    _save(made, context, name)
    return int(chunks)


def _repeat(context: StageContext, sampler: Sampler) -> None:
    """Some prompts several times, the samples of a prompt one after another."""
    prompts, repeats = int(context.fields["repeated_prompts"]), int(context.fields["repeats"])
    real = clips.load(context.parents["test"].folder / "test.npz").take(slice(prompts))
    codecs, seed = fitted(context.parents["codec"]), int(context.fields["sample_seed"])
    once = conditions(real, codecs.encode(real).frame_reference[:, 0])
    condition = Condition(*(part.repeat_interleave(repeats, 0) for part in astuple(once)))
    noise = sampler.noise(len(condition.words), real.words.shape[1], seed + 1)
    _save(sampler.clip(condition, noise, seed + 1), context, "repeats")


def _save(made: AV, context: StageContext, name: str) -> None:
    save_file({k: v.contiguous() for k, v in made.parts().items()}, context.out / f"{name}.safetensors")


def generated(generate: Parent, name: str) -> AV | None:
    """Latents of a finished generate stage, None where that part was not made."""
    path = generate.folder / f"{name}.safetensors"
    if not path.is_file():
        return None
    named = load_file(path)
    return AV(named["video"], named["audio"])


def _count(value: float, unit: str) -> dict[str, Any]:
    return {
        "value": value,
        "unit": unit,
        "kind": "cost",
        "higher_is_better": False,
        "n": 1,
        "coverage": 1.0,
        "status": "ok",
        "per_clip": None,
    }
