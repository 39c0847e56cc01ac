"""Parsed arguments of `run` and `plan` as an experiment and options."""

from __future__ import annotations

import argparse

from mfbench import provenance
from mfbench.bench.experiment import load
from mfbench.bench.run import Options
from mfbench.bench.select import Choice
from mfbench.bench.settings import Experiment
from mfbench.errors import UsageError


def experiment(arguments: argparse.Namespace) -> Experiment:
    """The checked experiment file."""
    return load(arguments.experiment, arguments.set, arguments.imports)


def options(arguments: argparse.Namespace) -> Options:
    """How to run it."""
    for folder in arguments.records:
        if not folder.is_dir():
            raise UsageError(f"--records {folder}: there is no such folder")
    reuse = tuple(getattr(arguments, "reuse", ()))
    for folder in reuse:
        if not (folder / "stages").is_dir():
            raise UsageError(f"--reuse {folder}: no run folder, it has no stages; wanted runs/EXPERIMENT")
    choice = Choice(
        only=arguments.only,
        stages=tuple(kind for kind in arguments.stages.split(",") if kind),
        limit=arguments.limit,
        records=tuple(arguments.records),
    )
    return Options(
        out=arguments.out,
        choice=choice,
        executor=getattr(arguments, "executor", "local"),
        slots=arguments.jobs,
        threads=arguments.threads,
        device=_device(arguments.device),
        reuse=reuse,
        track=getattr(arguments, "track", "none"),
        fail_fast=getattr(arguments, "fail_fast", False),
        strict_code=arguments.strict_code,
    )


def _device(wanted: str) -> str:
    available = bool(provenance.gpu_names())
    if wanted == "cuda" and not available:
        raise UsageError("--device cuda: the driver reports no CUDA device; use --device cpu")
    return wanted if wanted != "auto" else "cuda" if available else "cpu"
