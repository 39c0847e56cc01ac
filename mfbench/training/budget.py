"""How many optimiser steps an amount of network evaluations or FLOPs buys."""

from __future__ import annotations

import copy

import torch

from mfbench.methods.base import Method
from mfbench.training.adapter import to_device
from mfbench.training.batches import BatchPlan, LatentSet, step_generator
from mfbench.training.cost import CostMeter

REHEARSED = 20  # a whole number of critic-to-generator rounds


def affordable_steps(
    method: Method, data: LatentSet, plan: BatchPlan, device: torch.device, *, amount: float, currency: str
) -> int:
    """Steps that cost `amount` of `currency` (evaluations or flops), by the mean cost of the first steps.

    The costs are counted, not timed, so the answer is the same on every machine.
    """
    rehearsal = copy.deepcopy(method).to(device)
    meter = CostMeter()
    meter.watch(rehearsal)
    for step in range(REHEARSED):
        batch = to_device(plan.batch(data, step), device)
        rehearsal.loss(batch, step, step_generator(plan.seed, step))
    spent = {"evaluations": meter.evaluations, "flops": meter.flops}[currency]
    return int(amount * REHEARSED / spent)
