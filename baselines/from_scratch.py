"""Ablation: joint attention from the start, without the unimodal stage of Mutual Forcing."""

from __future__ import annotations

from baselines.teacher_forcing import TeacherForcing
from mfbench.methods.base import Parents
from mfbench.methods.mutual_forcing import MutualForcing
from mfbench.models.av_transformer import AVTransformer
from mfbench.registry import METHODS


@METHODS.register_module()
class TeacherForcingFromScratch(TeacherForcing):
    """Teacher forcing on pairs from a fresh network, as many joint steps as `TeacherForcing`."""

    parents = ()
    common = False

    def start(self, networks: Parents) -> AVTransformer:
        """A fresh network."""
        return networks.fresh


@METHODS.register_module()
class MutualForcingFromScratch(MutualForcing):
    """Mutual Forcing whose start never saw a unimodal stage."""

    parents = ("TeacherForcingFromScratch",)
