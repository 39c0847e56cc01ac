"""Real films of any length and container, and results without films."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfbench.bench.scoring.piece import Features, FilmResult, Piece
from mfbench.bench.scoring.read_film import read_film
from mfbench.character.face import render
from mfbench.character.performance import perform
from mfbench.data.manifest import ClipEntry
from mfbench.data.media import write_mp4
from mfbench.metrics.observe import Readers

FPS, RATE_HZ = 25.0, 16_000


@dataclass(frozen=True)
class Take:
    frames: np.ndarray
    sound: np.ndarray


def real_take(index: int, seconds: float = 2.56, size_px: int = 64) -> Take:
    take = perform(0, "test", index, seconds, FPS)
    return Take(render(take.face, size_px), take.waveform)


def real_film(path: Path, index: int, seconds: float = 2.56, size_px: int = 64) -> Path:
    take = real_take(index, seconds, size_px)
    write_mp4(path, take.frames, take.sound, fps=FPS, sample_rate_hz=RATE_HZ)
    return path


def entry_of(path: Path, **more: object) -> ClipEntry:
    return ClipEntry(id=path.stem, where=str(path), video=path, **more)  # type: ignore[arg-type]


def scored(path: Path, readers: Readers, **more: object) -> FilmResult:
    return read_film(entry_of(path, **more), readers, None, path.parent)


def result(name: str, value: float | None = None, points: np.ndarray | None = None) -> FilmResult:
    """A film with one metric, or without; with embeddings, or without."""
    pieces = {} if value is None else {"m": Piece("ok", value)}
    found = {} if points is None else dict.fromkeys(("video", "audio", "joint"), points.astype(np.float32))
    return FilmResult(name, f"{name}.mp4", "ok", pieces=pieces, features=Features(found))


def failed(name: str) -> FilmResult:
    return FilmResult(name, f"{name}.mp4", "failed_generation", "unreadable: x")
