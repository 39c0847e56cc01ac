"""Diffusion forcing (Chen et al. 2024, arXiv 2407.01392): every chunk at its own noise level."""

from __future__ import annotations

from typing import ClassVar

from baselines.teacher_forcing import TeacherForcing
from mfbench.registry import METHODS
from mfbench.types import Attention


@METHODS.register_module()
class DiffusionForcing(TeacherForcing):
    """Causal flow matching on a context as noisy as its own chunks' times say.

    A peer of `TeacherForcing` with the same start, budget and options, and one copy of the clip instead of
    two. Sampled on clean context: t = 0 is the lowest level that it was trained on.
    """

    common = False
    attention: ClassVar[Attention] = "causal"
