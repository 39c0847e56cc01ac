"""The train and pretrain stages: one method, one seed, to the last step of its budget."""

from __future__ import annotations

import resource
import time
from typing import Any

import torch

from mfbench.bench.bodies.codec import training_latents
from mfbench.bench.stage import Parent, StageContext, StageResult
from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Method, Parents
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.registry import METHODS
from mfbench.training.batches import BatchPlan
from mfbench.training.checkpoints import load_network, save_network
from mfbench.training.runner import TrainingJob, TrainingOutcome, train
from mfbench.training.tracking import backends

VERSION = 1
SHARED = ("data", "codec")


def run(context: StageContext) -> StageResult:
    """Write `ema.safetensors`; costs and curves go into the result."""
    method = build(context)
    budget, steps = context.fields["budget"], steps_of(context)
    chunks = context.parents["codec"].result.values["spec"]["chunks"]
    job = TrainingJob(
        name=context.spec.component,
        method=method,
        data=training_latents(context.parents["codec"]),
        plan=BatchPlan(
            seed=int(context.fields["train_seed"]),
            batch_size=int(budget["batch_size"]),
            min_chunks=min(int(budget["min_chunks"]), chunks) if method.flexible_length else chunks,
            max_chunks=chunks,
        ),
        steps=steps,
        work_dir=context.scratch,
        device=torch.device(context.device),
        progress=lambda done, total, rate: context.progress(done, total, f"{rate:.1f} steps/s"),
        vis_backends=backends(context.track, context.run_folder, context.spec.component),
    )
    started = time.monotonic()
    outcome = train(job)
    save_network(method.ema, context.out / "ema.safetensors", {"method": context.spec.component})
    seconds = time.monotonic() - started
    curves = {name: [list(point) for point in points] for name, points in outcome.curves.items()}
    networks = sum(isinstance(m, AVTransformer) for m in method.modules())
    facts = {"steps": steps, "flops": outcome.flops, "curves": curves, "networks": networks}
    return StageResult(facts, _costs(outcome, seconds, networks))


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


def steps_of(context: StageContext) -> int:
    """Optimiser steps: the budget's, or those that spend the cost of the method named by `cost_of`.

    The control trains on the same batches as its first parent, so a step of it costs what a step of that
    parent did.
    """
    registered = METHODS.get(context.spec.component)
    rival = getattr(registered, "cost_of", None)
    if rival is None:
        return int(context.fields["budget"]["steps"])
    per_step = context.parents[registered.parents[0]].result.values
    spent = context.parents[rival].result.values["flops"]
    ratio: float = spent * per_step["steps"] / per_step["flops"]
    return round(ratio)


def _costs(outcome: TrainingOutcome, seconds: float, networks: int) -> dict[str, dict[str, Any]]:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
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
