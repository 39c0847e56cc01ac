"""Real clips of the talking character as files, for folders scored without a reference of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mfbench import files
from mfbench.bench.judging.kit import FRAME_RATE_HZ, KEPT_MB, SECONDS, Kit
from mfbench.character.face import render
from mfbench.character.performance import perform
from mfbench.data.media import write_mp4
from mfbench.mel import SAMPLE_RATE_HZ

CLIPS = 128
SIZE_PX = 64
SPLIT = "reference"


def world_reference(kit: Kit, progress: Callable[[str], None] | None = None) -> Path:
    """The folder of reference clips beside the judges, written on first use.

    They went through the same codec as the candidates, whose losses would count as theirs otherwise.
    """
    folder = kit.path.with_name(f"reference-{kit.digest}")
    missing = [name for name in map("{:04d}.mp4".format, range(CLIPS)) if not (folder / name).is_file()]
    if missing:
        files.check_writable(folder, "--cache", KEPT_MB)
        files.sweep(folder)
        if progress is not None:
            progress(f"writing {len(missing)} real clips as the reference; they are kept in {folder}")
        for name in missing:  # each in one step, so that two commands may write at once
            write_real(folder / name, SPLIT, int(Path(name).stem))
    return folder


def write_real(path: Path, split: str, index: int) -> None:
    """One real clip as mp4."""
    take = perform(0, split, index, SECONDS, FRAME_RATE_HZ)
    frames = render(take.face, SIZE_PX)
    write_mp4(path, frames, take.waveform, fps=FRAME_RATE_HZ, sample_rate_hz=SAMPLE_RATE_HZ)
