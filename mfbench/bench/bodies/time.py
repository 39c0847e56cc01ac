"""The time stage: latency of streaming one clip at a time, alone on the machine.

Passes over the same prompts: a cold rollout up to its first chunk, warm-up, undisturbed rollouts (all latency
numbers), and a few that wait at every stage border (the breakdown, never mixed with the former). A latency
counts only beside the quality of the same weights and steps: both stand in one record, by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from mfbench.bench import clips, latency, machine
from mfbench.bench.bodies.generate import load_sampler
from mfbench.bench.energy import Energy, EnergyMeter, source_of
from mfbench.bench.flops import RolloutFlops, rollout_flops
from mfbench.bench.latency import Floats
from mfbench.bench.latents import Codecs, fitted
from mfbench.bench.playback import STAGES, play
from mfbench.bench.sampling import Sampler, conditions
from mfbench.bench.stage import StageContext, StageResult
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import Condition

VERSION = 4
BROKEN_DOWN = 2  # rollouts of the breakdown at most: each stage is a mean over their chunks
OF_PROCESS = ("ttfc_cold_s", "peak_mem_mb", "peak_device_mem_mb")  # not told of a second network


@dataclass(frozen=True)
class Protocol:
    """What a network is timed with.

    Attributes:
        condition: prompts, their words as long as a rollout.
        device: `cpu` or `cuda`.
    """

    codecs: Codecs
    condition: Condition
    warmup: int
    rollouts: int
    device: str


@dataclass(frozen=True)
class Timed:
    """What was measured of a network.

    Attributes:
        cold_s: seconds to the first chunk of the first rollout after loading.
        ready_s: undisturbed, seconds from the request until each chunk was there, [rollouts, chunks].
        stage_s: of the breakdown, [rollouts, chunks, stages] in the order of `STAGES`.
        load: what else the machine did during the undisturbed rollouts.
        energy: of every undisturbed rollout, where the hardware counts it.
        host_mb: peak of the process.
        device_mb: peak on the graphics processor, None on a CPU.
    """

    cold_s: float
    ready_s: Floats
    stage_s: Floats
    load: machine.Load
    energy: Energy
    host_mb: float
    device_mb: float | None
    flops: RolloutFlops


@dataclass(frozen=True)
class _Number:
    value: float | None  # None: not applicable
    unit: str
    better: bool = False
    n: int | None = None
    per_rollout: Floats | None = None


def run(context: StageContext) -> StageResult:
    """Stream whole clips with batch 1 and time every chunk until it is in host memory."""
    sampler, wide = load_sampler(context), context.fields["timing"].get("wide")
    samplers = {"": sampler}
    if wide:
        network = AVTransformer(replace(sampler.network.spec, **wide)).eval()
        samplers["wide_"] = replace(sampler, network=network)
    protocol, metrics = _protocol(context), {}
    facts: dict[str, Any] = {"first_of_process": not context.memory.get("timed", False)}
    context.memory["timed"] = True
    values: dict[str, Any] = {"timing": facts}
    for width, chosen in samplers.items():
        timed = measure(protocol, chosen, context.progress)
        for name, number in numbers(timed, protocol.codecs, chosen).items():
            if not (width and name in OF_PROCESS):
                metrics[f"{width}{name}"] = _entry(number, len(timed.ready_s))
        values |= {f"{width}ready_s": timed.ready_s.tolist(), f"{width}stage_s": timed.stage_s.tolist()}
        facts |= {f"{width}load": asdict(timed.load), f"{width}flops": asdict(timed.flops)}
        facts[f"{width}energy"] = asdict(timed.energy)
    return StageResult(values, metrics)


def _protocol(context: StageContext) -> Protocol:
    """Every prompt, its words repeated where a rollout is longer than the clip."""
    timing, codecs = context.fields["timing"], fitted(context.parents["codec"])
    real = clips.load(context.parents["test"].folder / "test.npz")
    given = conditions(real, codecs.encode(real).frame_reference[:, 0])
    chunks = torch.arange(codecs.spec.chunks_in(timing["seconds"])) % given.words.shape[1]
    condition = Condition(given.reference, given.words[:, chunks], given.null)
    return Protocol(codecs, condition, timing["warmup"], timing["rollouts"], context.device)


def measure(protocol: Protocol, sampler: Sampler, progress: Callable[[int, int, str], None]) -> Timed:
    """All passes over one network."""
    codecs, rollouts = protocol.codecs, protocol.rollouts
    broken_down = min(rollouts, BROKEN_DOWN)
    total = protocol.warmup + rollouts + broken_down
    sampler.network.to(protocol.device)
    machine.reset_memory_peak(protocol.device)
    with closing(play(sampler, codecs, _prompt(protocol.condition, 0), seed=0)) as played:
        cold_s = next(played).ready_s
    for i in range(protocol.warmup):
        _ready(protocol, sampler, i)
        progress(i + 1, total, "warm-up")
    meter = EnergyMeter(source_of(protocol.device))
    watch, ready = machine.LoadWatch(protocol.device), []
    for i in range(protocol.warmup, protocol.warmup + rollouts):
        ready.append(_ready(protocol, sampler, i))
        meter.lap()
        progress(i + 1, total, "rollouts timed")
    load, energy = watch.seen(), meter.seen()
    memory = machine.host_memory_peak_mb(), machine.device_memory_peak_mb(protocol.device)
    stages = []
    for i in range(broken_down):
        stages.append(_stages(protocol, sampler, protocol.warmup + i))
        progress(total - broken_down + i + 1, total, "rollouts broken down")
    flops = rollout_flops(sampler, codecs, _prompt(protocol.condition, 0))
    return Timed(cold_s, np.stack(ready), np.stack(stages), load, energy, *memory, flops)


def _prompt(condition: Condition, index: int) -> Condition:
    row = slice(index % len(condition.words), index % len(condition.words) + 1)
    return Condition(condition.reference[row], condition.words[row], condition.null[row])


def _ready(protocol: Protocol, sampler: Sampler, index: int) -> Floats:
    """One undisturbed rollout: seconds until each chunk was there, [chunks]."""
    prompt = _prompt(protocol.condition, index)
    return np.array([chunk.ready_s for chunk in play(sampler, protocol.codecs, prompt, seed=index)])


def _stages(protocol: Protocol, sampler: Sampler, index: int) -> Floats:
    """One rollout with waits at the borders: seconds by chunk and stage, [chunks, stages]."""
    prompt = _prompt(protocol.condition, index)
    played = play(sampler, protocol.codecs, prompt, seed=index, stages=True)
    return np.array([[getattr(chunk.stages, f"{stage}_s") for stage in STAGES] for chunk in played])


def numbers(timed: Timed, codecs: Codecs, sampler: Sampler) -> dict[str, _Number]:
    """Every metric of a network; chunk latencies only where chunks are made one after another."""
    ready_s, spec = timed.ready_s, codecs.spec.with_chunks(timed.ready_s.shape[1])
    chunk_s, media_s = spec.chunk_seconds, spec.duration_s
    first, total = ready_s[:, 0], ready_s[:, -1]
    found = {
        "ttfc_s": _median(first, "s"),
        "ttfc_cold_s": _Number(timed.cold_s, "s", n=1),
        "ttfc_chunks": _median(first / chunk_s, "chunk durations"),
        "rtf": _median(total / media_s, "s per media s"),
        "fps": _Number(float(spec.frames / np.median(total)), "decoded frames per s", better=True),
        "peak_mem_mb": _Number(timed.host_mb, "MB"),
        "j_per_media_s": _joules(timed.energy, media_s),
        "tflops_per_media_s": _Number(
            timed.flops.network / media_s / 1e12, "TFLOP per media s, network", n=1
        ),
        "tflops_decode_per_media_s": _Number(timed.flops.decoding / media_s / 1e12, "TFLOP per media s", n=1),
        "params_m": _Number(_parameters(sampler.network) / 1e6, "million parameters of the network", n=1),
        **_playout(ready_s, chunk_s),
        **_breakdown(timed.stage_s[:, latency.UNSTEADY if sampler.spec.streaming else 0 :]),
    }
    if timed.device_mb is not None:
        found["peak_device_mem_mb"] = _Number(timed.device_mb, "MB")
    return found | (_chunks(ready_s, sampler.window) if sampler.spec.streaming else {})


def _parameters(network: AVTransformer) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _median(per_rollout: Floats, unit: str) -> _Number:
    return _Number(float(np.median(per_rollout)), unit, per_rollout=per_rollout)


def _joules(energy: Energy, media_s: float) -> _Number:
    """Idle power included: a machine that only waits for the next clip draws it too."""
    unit = "J per media s, idle power included"
    if energy.joules is None:
        return _Number(None, unit, n=0)
    per_rollout = np.array(energy.joules) / media_s
    return _Number(float(per_rollout.mean()), unit, per_rollout=per_rollout)


def _playout(ready_s: Floats, chunk_s: float) -> dict[str, _Number]:
    stalled = np.array([latency.stall_ratio(one, chunk_s) for one in ready_s])
    buffers = latency.min_buffer_s(ready_s, chunk_s)
    return {
        "stall_ratio": _median(stalled, "stalled s per media s"),
        "min_buffer_s": _Number(float(buffers.max()), "s, enough for all rollouts"),
    }


def _breakdown(stage_s: Floats) -> dict[str, _Number]:
    chunks, unit = stage_s.shape[0] * stage_s.shape[1], "ms, mean per chunk"
    if not chunks:
        return {f"stage_ms_{name}": _Number(None, unit, n=0) for name in STAGES}
    named = zip(STAGES, 1000 * stage_s.mean(axis=(0, 1)), strict=True)
    return {f"stage_ms_{name}": _Number(float(mean), unit, n=chunks) for name, mean in named}


def _chunks(ready_s: Floats, window: int) -> dict[str, _Number]:
    if ready_s.shape[1] <= latency.UNSTEADY:  # of so short rollouts only the first chunk is told
        return {"chunk_latency_ms": _Number(None, "ms, median", n=0)}
    steady = 1000 * latency.steady(ready_s)
    medians = np.median(steady, axis=1)
    spreads = np.array([latency.spread(one) for one in steady])
    found = {
        "chunk_latency_ms": _Number(float(np.median(steady)), "ms, median", per_rollout=medians),
        **{f"chunk_latency_ms{k}": _Number(v, "ms") for k, v in latency.tails(steady).items()},
    }
    for suffix, value in latency.jitter(steady).items():
        unit = f"ms, {suffix.removeprefix('_')} less median" if suffix else "ms, inter-quartile"
        found[f"jitter_ms{suffix}"] = _Number(value, unit, per_rollout=None if suffix else spreads)
    grown = latency.growth(np.diff(ready_s, axis=1)[:, window:])
    return found | ({"latency_growth": _median(grown, "ratio")} if grown is not None else {})


def _entry(number: _Number, rollouts: int) -> dict[str, Any]:
    """As a record keeps it; of kind `timing` throughout, since a `cost` is one of training."""
    return {
        "value": number.value,
        "unit": number.unit,
        "kind": "timing",
        "higher_is_better": number.better,
        "n": rollouts if number.n is None else number.n,
        "coverage": 0.0 if number.value is None else 1.0,
        "status": "not_applicable" if number.value is None else "ok",
        "per_clip": None if number.per_rollout is None else number.per_rollout.tolist(),
    }
