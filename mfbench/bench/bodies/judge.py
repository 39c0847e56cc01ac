"""The judge stage: readers fitted on real training clips, and what the codecs alone lose."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from mfbench.bench import clips
from mfbench.bench.clips import Clips
from mfbench.bench.latents import Codecs, fitted
from mfbench.bench.playback import picture
from mfbench.bench.stage import Parent, StageContext, StageResult
from mfbench.codecs.vocoder import vocode
from mfbench.mel import log_mel
from mfbench.metrics.base import Prompts
from mfbench.metrics.floors import ReconstructionFloors, reconstruction_floors
from mfbench.metrics.observe import Observation, Readers, observe

VERSION = 3
FITTED_ON = 160  # training clips
FLOOR_CLIPS = 24
UNITS = {"psnr_db": "dB", "log_spectral_distance_db": "dB", "per": "", "sync_corr": "r"}


def run(context: StageContext) -> StageResult:
    """Write `readers.npz`; the codec floors go into the result."""
    codecs = fitted(context.parents["codec"])
    train = clips.load(context.parents["data"].folder / "train.npz").take(slice(FITTED_ON))
    frames = picture(codecs, train.face)
    rng = np.random.default_rng(0)
    readers = Readers.fit(
        train.face, frames, train.mel, train.timelines, train.voice, codecs.spec.frame_rate_hz, rng
    )
    readers.save(context.out / "readers.npz")
    test = clips.load(context.parents["test"].folder / "test.npz").take(slice(FLOOR_CLIPS))
    return StageResult({"codec_floor": _floors(codecs, test, readers)})


def readers_of(context: StageContext) -> Readers:
    """The fitted readers, loaded once per process."""
    judge = context.parents["judge"]
    key = f"readers-{judge.spec.id}"
    if key not in context.memory:
        context.memory[key] = Readers.load(judge.folder / "readers.npz")
    found = context.memory[key]
    assert isinstance(found, Readers)
    return found


def observe_real(context: StageContext, name: str) -> tuple[Clips, Observation]:
    """Real clips of the test material as the readers see them, once per process."""
    test, codecs = context.parents["test"], fitted(context.parents["codec"])
    key = f"observed-{name}-{test.spec.id}"
    if key not in context.memory:
        real = clips.load(test.folder / f"{name}.npz")
        context.memory[key] = (real, observe(picture(codecs, real.face), real.mel, readers_of(context)))
    found: tuple[Clips, Observation] = context.memory[key]
    return found


def prompts_of(real: Clips, seed: int) -> Prompts:
    """What the clips were asked to be."""
    index = np.arange(len(real.words))
    return Prompts(real.timelines, real.voice, real.identity, index, np.full(len(index), seed))


def has_long(test: Parent) -> bool:
    """Whether the suite has a long horizon."""
    return (test.folder / "long.npz").is_file()


def _floors(codecs: Codecs, real: Clips, readers: Readers) -> dict[str, dict[str, dict[str, Any]]]:
    """Latents and back; and the vocoder on top, which only the gallery uses."""
    latents = codecs.encode(real).latents
    face, mel = codecs.decode(latents)
    sound = vocode(torch.from_numpy(mel), torch.Generator().manual_seed(0))
    before, after = picture(codecs, real.face), picture(codecs, face)
    prompts = prompts_of(real, 0)
    made = {
        "latents": reconstruction_floors(before, real.mel, after, mel, prompts, readers),
        "latents and vocoder": reconstruction_floors(
            before, real.mel, after, log_mel(sound).numpy(), prompts, readers
        ),
    }
    return {name: _table(floors) for name, floors in made.items()}


def _table(floors: ReconstructionFloors) -> dict[str, dict[str, Any]]:
    values = asdict(floors)
    rows = {name: {"value": values[name], "unit": UNITS[name]} for name in UNITS}
    return rows | {
        f"{name} (real)": {"value": values[f"real_{name}"], "unit": UNITS[name]}
        for name in ("per", "sync_corr")
    }
