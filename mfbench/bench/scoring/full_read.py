"""One film through one adapter of the full tier, in the worker that holds the models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mfbench.bench.scoring.full_media import Prepared, Source, prepare
from mfbench.bench.scoring.paths import without_folders
from mfbench.bench.scoring.piece import Piece
from mfbench.data.manifest import ClipEntry
from mfbench.metrics.full.base import Adapter, ClipReading, FloatArray
from mfbench.metrics.full.weights import GivenWeights, open_adapter


@dataclass(frozen=True)
class FilmTask:
    """One film for one adapter; `facts` are those that the first pass found."""

    adapter: str
    entry: ClipEntry
    root: Path
    facts: Mapping[str, object]


@dataclass(frozen=True)
class SetTask:
    """A set metric of an adapter, from rows of features per film."""

    adapter: str
    metric: str
    candidate: Sequence[FloatArray]
    reference: Sequence[FloatArray]


@dataclass(frozen=True)
class Answer:
    """Of a film: a piece per metric of single films, features per set metric. Of a set: one piece.

    Attributes:
        missing: why a film has no features, by set metric.
    """

    pieces: Mapping[str, Piece]
    features: Mapping[str, FloatArray]
    missing: Mapping[str, Piece]
    notes: tuple[str, ...] = ()


def open_all(weights: Mapping[str, GivenWeights], names: Sequence[str]) -> dict[str, Adapter]:
    """Every adapter, loaded.

    Raises:
        WeightsError: if a file is no such model; PackageMissingError: if a package is missing.
    """
    torch.set_num_threads(1)
    return {name: open_adapter(name, weights) for name in names}


def answer(adapters: object, task: FilmTask | SetTask) -> Answer:
    """Carry out a task; exceptions become `failed_metric`."""
    assert isinstance(adapters, dict)
    adapter = adapters[task.adapter]
    if isinstance(task, SetTask):
        return Answer({task.metric: _set_value(adapter, task)}, {}, {})
    return _read(adapter, task)


def lost(task: FilmTask | SetTask, why: str) -> Answer:
    """What stands for a task whose process died or took too long."""
    from mfbench.metrics.full import adapter

    piece = Piece("failed_metric", reason=f"{task.adapter}: {why}")
    kinds = adapter(task.adapter)
    if isinstance(task, SetTask):
        return Answer({task.metric: piece}, {}, {})
    return _all(kinds, piece)


def _read(adapter: Adapter, task: FilmTask) -> Answer:
    video = task.entry.video
    assert video is not None
    try:
        prepared = prepare(task.entry, video, Source.of(task.facts), adapter.needs)
        why = _missing(adapter, prepared)
        if why:
            return _all(type(adapter), Piece("not_applicable", reason=why), prepared.notes)
        reading = adapter.read(prepared.media)
    except Exception as error:  # of models, decoders and side files, of any kind
        text = without_folders(f"{type(error).__name__}: {error}", task.entry, task.root)
        return _all(type(adapter), Piece("failed_metric", reason=text))
    return _answer(type(adapter), reading, (*prepared.notes, *reading.notes))


def _missing(adapter: Adapter, prepared: Prepared) -> str:
    needs = adapter.needs
    if needs.sample_rate_hz is not None and prepared.media.waveform is None:
        return "no stream of sound"
    if prepared.seconds < needs.min_duration_s - 1e-6:
        return f"{prepared.seconds:.2f} s; wanted are at least {needs.min_duration_s:g} s"
    return ""


def _all(kind: type[Adapter], piece: Piece, notes: tuple[str, ...] = ()) -> Answer:
    return Answer(
        dict.fromkeys(kind.names(set_metrics=False), piece),
        {},
        dict.fromkeys(kind.names(set_metrics=True), piece),
        _marked(kind, notes),
    )


def _answer(kind: type[Adapter], reading: ClipReading, notes: tuple[str, ...]) -> Answer:
    sets = kind.names(set_metrics=True)
    return Answer(
        pieces={name: _piece(name, reading) for name in kind.names(set_metrics=False)},
        features={name: reading.features[name] for name in sets if name in reading.features},
        missing={name: _piece(name, reading) for name in sets if name not in reading.features},
        notes=_marked(kind, notes),
    )


def _piece(name: str, reading: ClipReading) -> Piece:
    if name in reading.ratios:
        ratio = reading.ratios[name]
        return _finite(Piece("ok", float(ratio.numerator), float(ratio.denominator)))
    if name in reading.values:
        return _finite(Piece("ok", float(reading.values[name])))
    if name in reading.not_applicable:
        return Piece("not_applicable", reason=reading.not_applicable[name])
    return Piece("failed_metric", reason="the model said nothing about it")


def _finite(piece: Piece) -> Piece:
    if math.isfinite(piece.numerator) and math.isfinite(piece.denominator) and piece.denominator > 0:
        return piece
    return Piece("failed_metric", reason=f"no number: {piece.numerator} / {piece.denominator}")


def _set_value(adapter: Adapter, task: SetTask) -> Piece:
    try:
        value = float(adapter.value(task.metric, task.candidate, task.reference))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        return Piece("failed_metric", reason=f"{type(error).__name__}: {error}")
    return _finite(Piece("ok", value))


def _marked(kind: type[Adapter], notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{kind.name}: {note}" for note in notes)
