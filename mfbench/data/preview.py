"""Clips, a contact sheet and a spectrogram of the talking character, to look at and listen to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.character.face import render
from mfbench.character.lexicon import LEXICON
from mfbench.character.performance import MOUTH, Performance, perform
from mfbench.character.speech import SAMPLE_RATE_HZ
from mfbench.data.media import write_mp4
from mfbench.errors import UsageError
from mfbench.files import OwnFolder, beside
from mfbench.mel import HOP_SAMPLES, log_mel

FPS = 25
OWNER = "preview"
LEAST_CLIPS = 6
COLUMNS = 12
SPLIT = "reference"  # shows all voices and identities, the held-out ones too


@dataclass(frozen=True)
class _Clip:
    """A performance and its frames, uint8 [n, size, size, 3]."""

    performance: Performance
    frames: NDArray[np.uint8]

    @property
    def words(self) -> str:
        """What is said."""
        return " ".join(LEXICON[i].text for i in self.performance.timeline.word_ids)

    @property
    def name(self) -> str:
        """Whose voice and looks."""
        return f"voice{self.performance.voice}_identity{self.performance.identity:02d}"


def preview(
    out_dir: Path, *, clips: int = 6, seconds: float = 5.12, size_px: int = 256, seed: int = 0
) -> list[Path]:
    """Write mp4 clips, `contact_sheet.png` and `spectrogram.png` (of the first clip).

    Args:
        out_dir: a new or empty folder, or one that an earlier preview filled (its files are replaced).
        clips: at least 6.
        seconds: a whole number of frames at 25 fps.
        size_px: side of the frames; even.
        seed: of the world.

    Returns:
        The files that were written.
    """
    _check(clips, seconds, size_px)
    out = OwnFolder.claim(out_dir, "--out")
    written, shown = [], []
    for index in range(clips):
        performance = perform(seed, SPLIT, index, seconds, FPS)
        clip = _Clip(performance, render(performance.face, size_px))
        path = out_dir / f"clip{index:02d}_{clip.name}.mp4"
        written.append(path)
        out.announce(OWNER, [path.name])
        write_mp4(path, clip.frames, performance.waveform, fps=FPS, sample_rate_hz=SAMPLE_RATE_HZ)
        # only what the sheet shows, so that memory does not grow with the clips
        shown.append(_Clip(performance, clip.frames[_columns(len(clip.frames))]))
    sheet, spectrogram = out_dir / "contact_sheet.png", out_dir / "spectrogram.png"
    written += [sheet, spectrogram]
    out.announce(OWNER, [path.name for path in written])
    with beside(sheet) as part:
        _draw_sheet(part, shown)
    with beside(spectrogram) as part:
        _draw_spectrogram(part, shown[0])
    out.retire(OWNER, [path.name for path in written])
    return written


def _check(clips: int, seconds: float, size_px: int) -> None:
    if clips < LEAST_CLIPS:
        raise UsageError(f"a preview shows at least {LEAST_CLIPS} clips, got {clips}")
    if seconds < 1 or abs(seconds * FPS - round(seconds * FPS)) > 1e-6:
        raise UsageError(
            f"{seconds} s is not a whole number of frames at {FPS} fps of at least 1 s; try "
            f"{max(1.0, round(seconds * FPS) / FPS):g}"
        )
    if size_px < 32 or size_px % 2:
        raise UsageError(f"frames need an even side of at least 32 pixels, got {size_px}")


def _columns(frames: int) -> NDArray[np.int64]:
    return np.linspace(0, frames - 1, COLUMNS).round().astype(np.int64)


def _draw_sheet(path: Path, clips: list[_Clip]) -> None:
    """One row per clip; under every frame its time and the phone that is spoken."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.3 * COLUMNS, 1.75 * len(clips)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(clips), 1)
    for row, clip in enumerate(clips):
        part = figure.add_subfigure(grid[row])
        part.suptitle(f"{clip.name.replace('_', ', ')}: {clip.words}", x=0.01, ha="left", fontsize=9)
        frames = _columns(len(clip.performance.face))
        for axes, picture, frame in zip(part.subplots(1, COLUMNS), clip.frames, frames, strict=True):
            time_s = (frame + 0.5) / FPS
            axes.imshow(picture)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel(f"{time_s:.2f} s  {_phone_at(clip.performance, time_s)}", fontsize=7, labelpad=2)
    figure.savefig(path, dpi=110)


def _phone_at(performance: Performance, time_s: float) -> str:
    inside = [name for name, start, end in performance.timeline.phones if start <= time_s < end]
    return inside[0].replace("SIL", "-") if inside else ""


def _draw_spectrogram(path: Path, clip: _Clip) -> None:
    """Log-mel with phone borders above the mouth tracks, on one time axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    performance = clip.performance
    mel = log_mel(torch.from_numpy(performance.waveform)).numpy()
    duration_s = performance.timeline.duration_s
    figure = Figure(figsize=(15, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    extent = (0, len(mel) * HOP_SAMPLES / SAMPLE_RATE_HZ, 0, mel.shape[1])
    above.imshow(mel.T, origin="lower", aspect="auto", cmap="magma", extent=extent)
    above.set_ylabel("mel band")
    above.set_title(f"{clip.name.replace('_', ', ')}: {clip.words}", loc="left", fontsize=10)
    for name, start, end in performance.timeline.phones:
        middle, label = (start + end) / 2, name.replace("SIL", "")
        above.axvline(start, color="white", linewidth=0.5, alpha=0.5)
        above.text(middle, mel.shape[1] - 3, label, color="white", ha="center", va="top", fontsize=8)
    for name, track in zip(MOUTH, performance.tracks.mouth.T, strict=True):
        below.plot(performance.tracks.time_s, track, label=name, linewidth=1.8 if name == "open" else 0.9)
    below.set_xlim(0, duration_s)
    below.set_ylim(-0.03, 1.03)
    below.set_xlabel("time [s]")
    below.set_ylabel("mouth")
    below.legend(ncols=len(MOUTH), fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 0.97))
    figure.savefig(path, dpi=110)
