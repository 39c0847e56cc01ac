"""The train and pretrain stages: one method, one seed, to the last step of its budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from mfbench.bench import machine
from mfbench.bench.components import CURRENCIES
from mfbench.bench.latents import fitted, training_latents
from mfbench.bench.probes import HealthProbe
from mfbench.bench.stage import Parent, StageContext, StageResult
from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.registry import METHODS
from mfbench.training.adapter import to_device
from mfbench.training.batches import BatchPlan, LatentSet
from mfbench.training.budget import affordable_steps
from mfbench.training.checkpoints import load_network, save_network
from mfbench.training.runner import TrainingJob, TrainingOutcome, train
from mfbench.training.tracking import backends
from mfbench.types import AVBatch

VERSION = 1
SHARED = ("data", "codec")
PROBED_CLIPS = 4


def run(context: StageContext) -> StageResult:
    """Write `ema.safetensors`; costs and curves go into the result."""
    method = build(context)
    budget, device = context.fields["budget"], torch.device(context.device)
    chunks = int(context.parents["codec"].result.values["spec"]["chunks"])
    least = int(budget["min_chunks"])
    if least > chunks:
        raise ValueError(f"training clips have {chunks} chunks, min_chunks={least}; use longer clips or less")
    data = training_latents(context.parents["codec"])
    plan = BatchPlan(
        seed=int(context.fields["train_seed"]),
        batch_size=int(budget["batch_size"]),
        min_chunks=least if method.flexible_length else chunks,
        max_chunks=chunks,
    )
    before = spent_before(context)
    steps = steps_of(context, before, partial(affordable_steps, method, data, plan, device))
    job = TrainingJob(
        name=context.spec.component,
        method=method,
        data=data,
        plan=plan,
        steps=steps,
        work_dir=context.scratch,
        device=device,
        progress=lambda done, total, rate: context.progress(done, total, f"{rate:.1f} steps/s"),
        probe=HealthProbe(fitted(context.parents["codec"]), probed(data, device)) if method.steps else None,
        vis_backends=backends(context.track, context.run_folder, context.spec.component, context.spec.id),
    )
    machine.reset_memory_peak(context.device)
    started = time.monotonic()
    outcome = train(job)
    save_network(method.ema, context.out / "ema.safetensors", {"method": context.spec.component})
    seconds = time.monotonic() - started - outcome.probe_seconds
    curves = {name: [list(point) for point in points] for name, points in outcome.curves.items()}
    networks = sum(isinstance(m, AVTransformer) for m in method.modules())
    own = {"steps": steps, "evaluations": outcome.evaluations, "flops": outcome.flops}
    spent = {} if method.common else {**before, context.spec.id: own}
    facts = {**own, "curves": curves, "networks": networks, "spent": spent}
    return StageResult(facts, _costs(outcome, seconds, networks, context.device))


def probed(data: LatentSet, device: torch.device) -> AVBatch:
    """The first clips of the training set, whole."""
    rows = torch.arange(PROBED_CLIPS) % data.latents.batch
    return to_device(data.window(rows, torch.zeros_like(rows), data.latents.chunks), device)


def build(context: StageContext) -> Method:
    """The method of a stage with its parents' networks."""
    trained = {
        role: load_network(parent.folder / "ema.safetensors")
        for role, parent in context.parents.items()
        if role not in SHARED
    }
    torch.manual_seed(int(context.fields["train_seed"]))
    fresh = AVTransformer(network_spec(context.parents["codec"], context.fields["model"]))
    options = {key: _tuples(value) for key, value in context.fields["options"].items()}
    method = METHODS.build({"type": context.spec.component, "networks": Parents(fresh, trained), **options})
    assert isinstance(method, Method)
    return method


def network_spec(codec: Parent, model: dict[str, Any]) -> TransformerSpec:
    """The network's sizes: the experiment's choice and what the codec dictates."""
    values = codec.result.values
    return TransformerSpec(
        clip=ClipSpec.from_json(values["spec"]),
        reference_channels=values["reference_channels"],
        slots=values["slots"],
        vocabulary=values["vocabulary"],
        **model,
    )


def spent_before(context: StageContext) -> dict[str, dict[str, float]]:
    """What the trainings behind this one cost beyond the common checkpoints, by stage id, each once."""
    rival = getattr(METHODS.get(context.spec.component), "cost_of", None)
    spent: dict[str, dict[str, float]] = {}
    for role, parent in context.parents.items():
        if role not in (*SHARED, rival):
            spent |= parent.result.values["spent"]
    return spent


def steps_of(
    context: StageContext, before: dict[str, dict[str, float]], affordable: Callable[..., int]
) -> int:
    """Optimiser steps: the budget's, those that its amount still buys, or those that match a rival's cost.

    A control with `cost_of` trains on the same batches as its first parent, so a step of it costs what a
    step of that parent did.
    """
    registered, budget = METHODS.get(context.spec.component), context.fields["budget"]
    rival = getattr(registered, "cost_of", None)
    if rival is not None:
        per_step = context.parents[registered.parents[0]].result.values
        ratio: float = context.parents[rival].result.values["flops"] / per_step["flops"]
        return round(ratio * float(per_step["steps"]))
    if "optimiser_steps" in budget:
        return int(budget["optimiser_steps"])
    currency = next(name for name in CURRENCIES if name in budget)
    gone = sum(cost[currency] for cost in before.values())
    left = float(budget[currency]) - gone
    steps = int(left) if currency == "steps" or left <= 0 else affordable(amount=left, currency=currency)
    if steps < 1:
        raise ValueError(
            f"the budget of {budget[currency]:g} {currency} leaves {left:g} for {context.spec.component}: "
            f"its teachers and initialisations cost {gone:g}; raise {currency} or lower their steps"
        )
    return steps


def _costs(outcome: TrainingOutcome, seconds: float, networks: int, device: str) -> dict[str, dict[str, Any]]:
    """The memory is the graphics processor's where one trains, else that of this process."""
    on_device_mb = machine.device_memory_peak_mb(device)
    peak_mb = machine.host_memory_peak_mb() if on_device_mb is None else on_device_mb
    values = {
        "train_network_evaluations": (outcome.evaluations, "chunk evaluations", "sum"),
        "train_flops": (outcome.flops, "FLOP", "sum"),
        "train_seconds": (seconds, "s", "sum"),
        "train_peak_memory_mb": (peak_mb, "MB", "max"),
        "train_networks": (networks, "networks", "max"),
    }
    return {
        name: {
            "value": value,
            "unit": unit,
            "kind": "cost",
            "higher_is_better": False,
            "n": 1,
            "coverage": 1.0,
            "status": "ok",
            "per_clip": None,
            "combine": combine,
        }
        for name, (value, unit, combine) in values.items()
    }


def _tuples(value: object) -> object:
    """JSON has no tuples; options that are sequences are tuples."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
