"""`train`: the only place that knows mmengine's Runner."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from mfbench.methods.base import Method
from mfbench.training.adapter import MethodAdapter
from mfbench.training.batches import BatchPlan, LatentSet
from mfbench.training.checkpoints import last_verified
from mfbench.training.hooks import CurveHook, PlainCheckpoint, Probe, ProbeHook, Progress, ProgressHook

WEIGHT_DECAY = 0.02
BETAS = (0.9, 0.95)
CLIP_NORM = 1.0
WARM_UP_STEPS = 50
CURVE_POINTS = 200
PROBE_POINTS, PROBE_STEPS = 10, 25  # so many times, but not more often than every so many steps


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """Everything one training needs; `work_dir` survives a kill and holds the resume checkpoints."""

    name: str
    method: Method
    data: LatentSet
    plan: BatchPlan
    steps: int
    work_dir: Path
    device: torch.device
    progress: Progress
    checkpoint_every: int = 250
    probe: Probe | None = None
    vis_backends: list[dict[str, Any]] = field(default_factory=lambda: [{"type": "LocalVisBackend"}])


@dataclass(frozen=True)
class TrainingOutcome:
    """Loss curves and cost of a finished training (all processes that worked on it together).

    Attributes:
        probe_seconds: spent on health probes by this process.
    """

    curves: dict[str, list[tuple[int, float]]]
    evaluations: float
    flops: float
    calls: int
    probe_seconds: float


class _Steps(Dataset[int]):
    """Step numbers as data; the adapter draws the batch of a step itself."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> int:
        return step


def train(job: TrainingJob) -> TrainingOutcome:
    """Train to the last step, continuing from the newest verified checkpoint in `work_dir`."""
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    torch.manual_seed(job.plan.seed)
    adapter = MethodAdapter(job.method, job.data, job.plan, job.device)
    curves = CurveHook(max(1, job.steps // CURVE_POINTS))
    found = last_verified(job.work_dir)
    probes = [ProbeHook(job.probe, max(PROBE_STEPS, job.steps // PROBE_POINTS), curves)] if job.probe else []
    if job.steps > 0:
        _runner(job, adapter, curves, probes, found).train()
    evaluations, flops, calls = adapter.cost.tolist()
    spent = sum(hook.seconds for hook in probes)
    return TrainingOutcome(curves.curves, evaluations, flops, int(calls), spent)


def _runner(
    job: TrainingJob, adapter: MethodAdapter, curves: CurveHook, probes: list[ProbeHook], found: Path | None
) -> Runner:
    return Runner(
        model=adapter.to(job.device),
        work_dir=str(job.work_dir),
        experiment_name=f"{job.name}-{os.getpid()}",
        train_dataloader=DataLoader(_Steps(job.steps), batch_size=1, shuffle=False, num_workers=0),
        train_cfg={"by_epoch": False, "max_iters": job.steps},
        optim_wrapper=_optimisers(job.method),
        param_scheduler=_schedules(job),
        default_hooks={
            "timer": {"type": "IterTimerHook"},
            "logger": {"type": "LoggerHook", "interval": curves.interval},
            "checkpoint": {
                "type": "CheckpointHook",
                "by_epoch": False,
                "interval": job.checkpoint_every,
                "max_keep_ckpts": 2,
            },
            "sampler_seed": None,
        },
        custom_hooks=[PlainCheckpoint(), curves, *probes, ProgressHook(job.progress)],
        visualizer={"type": "Visualizer", "vis_backends": job.vis_backends},
        load_from=None if found is None else str(found),
        resume=found is not None,
        log_level=logging.ERROR,
    )


def _optimisers(method: Method) -> OptimWrapperDict:
    rates = method.learning_rates()
    wrappers = {}
    for name, parameters in method.parameter_groups().items():
        optimiser = torch.optim.AdamW(
            parameters, lr=rates[name], betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )
        clip = {"max_norm": CLIP_NORM, "foreach": True}
        wrappers[name] = OptimWrapper(optimizer=optimiser, clip_grad=clip)
    return OptimWrapperDict(**wrappers)


def _schedules(job: TrainingJob) -> dict[str, list[dict[str, Any]]]:
    """Linear warm-up, then linear decay to 2 % of the peak."""
    warm = min(WARM_UP_STEPS, max(1, job.steps // 10))
    common = {"type": "LinearLR", "by_epoch": False}
    schedule = [{**common, "start_factor": 0.02, "end_factor": 1.0, "begin": 0, "end": warm}]
    if job.steps > warm:  # a training of one step has no more
        schedule.append({**common, "start_factor": 1.0, "end_factor": 0.02, "begin": warm, "end": job.steps})
    return {name: [dict(s) for s in schedule] for name in job.method.parameter_groups()}
