"""The contract between a method and everything around it.

A method owns networks by role and says what a training step minimises and how a checkpoint is sampled.
`training` owns optimisers, EMA updates, alternation and checkpoints. A new method is one file: a registered
subclass with the class constants below as literals (they are read without importing the file).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import nn

from mfbench.flows.times import grid
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import Attention, AVBatch, LossOutput, SamplerSpec, Solver


@dataclass(frozen=True)
class Parents:
    """Networks that a method starts from, by the name of the training that made them.

    Attributes:
        fresh: a newly initialised network of the experiment's size.
        trained: EMA weights of the parent trainings, in the order of the method's `parents`.
    """

    fresh: AVTransformer
    trained: Mapping[str, AVTransformer]

    def copy_of(self, name: str) -> AVTransformer:
        """An independent trainable copy of a parent's network."""
        if name not in self.trained:
            raise KeyError(f"no parent {name!r}; this method's parents are {sorted(self.trained)}")
        return copy.deepcopy(self.trained[name]).requires_grad_(True)

    def frozen(self, name: str) -> AVTransformer:
        """A parent's network that no loss may move."""
        return self.copy_of(name).requires_grad_(False).eval()


class Method(nn.Module):
    """Base of every method; subclasses define `loss` and `sampler` and state their constants.

    Class constants (literals):
        version: raise it when results change.
        parents: trainings whose checkpoints the method starts from; the student starts from the first.
        stage: `pretrain` for shared ancestors, `train` for methods that are compared.
        steps: denoising steps the method can be sampled at; `on_design` those it was trained for.
        streaming: False where sampling needs the whole clip.
        flexible_length: False where training always sees whole clips.
        budget_key: entry of the experiment's `budget` that counts its optimiser steps.
        common: a checkpoint that every method starts from; budgets are counted beyond it.
        sampling_options: options that change sampling only, so that variants share one training.
    """

    version: ClassVar[int] = 1
    parents: ClassVar[tuple[str, ...]] = ()
    stage: ClassVar[Literal["pretrain", "train"]] = "train"
    steps: ClassVar[tuple[int, ...]] = ()
    on_design: ClassVar[tuple[int, ...]] = ()
    streaming: ClassVar[bool] = True
    flexible_length: bool = True  # a method with an option for it sets its own
    budget_key: ClassVar[str] = ""
    common: ClassVar[bool] = False
    sampling_options: ClassVar[tuple[str, ...]] = ()
    attention: ClassVar[Attention] = "own"

    def __init__(self, student: AVTransformer, *, learning_rate: float, ema_decay: float) -> None:
        super().__init__()
        self.student = student
        self.ema = copy.deepcopy(student).requires_grad_(False).eval()
        self.learning_rate = learning_rate
        self.ema_decay = ema_decay

    def loss(self, batch: AVBatch, step: int, generator: torch.Generator) -> LossOutput:
        """Scalar losses of this step per parameter group; groups left out are not stepped."""
        raise NotImplementedError(f"{type(self).__name__} must define loss()")

    def sampler(self, steps: int) -> SamplerSpec:
        """How to sample the checkpoint at a step count."""
        raise NotImplementedError(f"{type(self).__name__} must define sampler()")

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Trainable parameters per optimiser."""
        return {"generator": [p for p in self.student.parameters() if p.requires_grad]}

    def learning_rates(self) -> dict[str, float]:
        """Peak learning rate per parameter group."""
        return {"generator": self.learning_rate}

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the EMA weights towards the student."""
        torch._foreach_lerp_(  # one call instead of one per parameter
            list(self.ema.parameters()), list(self.student.parameters()), 1 - self.ema_decay
        )

    def multi_step_sampler(
        self, steps: int, *, guidance: float, shift: float, solver: Solver = "euler"
    ) -> SamplerSpec:
        """An ODE sampler of the multi-step mode on a shifted grid."""
        return SamplerSpec(
            solver=solver,
            times=grid(steps, shift),
            guidance=guidance,
            streaming=self.streaming,
            off_design=steps not in self.on_design,
        )
