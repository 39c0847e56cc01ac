"""Judges for films at 25 frames per second, fitted on the real training split once and kept by content."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mfbench import files
from mfbench.bench.components import Code
from mfbench.character.face import render
from mfbench.character.performance import Performance, perform
from mfbench.mel import log_mel
from mfbench.metrics.observe import Readers
from mfbench.metrics.readers.images import READ_SIZE_PX, Pixels

FRAME_RATE_HZ = 25.0
FITTED_ON = 160  # training clips
SECONDS = 5.12
CACHE = Path("runs") / "judges"
KEPT_MB = 64  # judges and reference clips


@dataclass(frozen=True)
class Kit:
    """Fitted judges.

    Attributes:
        digest: of the clips they were fitted on and of their source, 16 hexadecimal digits.
        path: the file they are kept in.
    """

    readers: Readers
    digest: str
    path: Path


def load_or_fit(cache: Path = CACHE, progress: Callable[[str], None] | None = None) -> Kit:
    """The judges from the cache, or fitted now (about a minute) and kept there."""
    takes = [perform(0, "train", index, SECONDS, FRAME_RATE_HZ) for index in range(FITTED_ON)]
    digest = _digest(takes)
    path = cache / f"judges-{digest}.npz"
    tell = progress or _silent
    readers = _kept(path, tell)
    if readers is None:
        files.check_writable(cache, "--cache", KEPT_MB)
        files.sweep(cache)
        tell(f"fitting the judges on {FITTED_ON} real training clips; they are kept in {path}")
        with files.beside(path) as part:
            _fit(takes).save(part)
        readers = Readers.load(path)
    return Kit(readers, digest, path)


def _kept(path: Path, tell: Callable[[str], None]) -> Readers | None:
    """The judges of a file; None where there is none, or a damaged one."""
    if not path.is_file():
        return None
    try:
        return Readers.load(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        tell(f"{path} is damaged ({type(error).__name__}: {error})")
        return None


def _silent(_: str) -> None:
    """Tell nobody."""


def pictures(takes: list[Performance]) -> Pixels:
    """The takes drawn at the size that readers look at, uint8 [clips, frames, 32, 32, 3]."""
    return np.stack([render(take.face, READ_SIZE_PX) for take in takes])


def _fit(takes: list[Performance]) -> Readers:
    face = np.stack([take.face for take in takes])
    mel = np.concatenate([log_mel(torch.from_numpy(take.waveform[None])).numpy() for take in takes])
    timelines = [take.timeline for take in takes]
    voice = np.array([take.voice for take in takes])
    rng = np.random.default_rng(0)
    return Readers.fit(face, pictures(takes), mel, timelines, voice, FRAME_RATE_HZ, rng)


def _digest(takes: list[Performance]) -> str:
    source = Code({"judge": __name__}, ()).digest("judge", ("mfbench.metrics.observe",))
    total = hashlib.sha256(source.encode())
    for take in takes:
        total.update(take.face.tobytes() + take.waveform.tobytes())
    return total.hexdigest()[:16]
