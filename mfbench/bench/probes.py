"""What a training's samples look and sound like while it runs: silence, stills and colours that drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from mfbench.bench.latents import Codecs
from mfbench.bench.sampling import Sampler
from mfbench.codecs.base import FloatArray
from mfbench.methods.base import Method
from mfbench.metrics.level import level_db, mean_level_db
from mfbench.training.probes import FEW, jump_cosine, mode_gap
from mfbench.types import AVBatch

SEED: Final = 7
QUARTER: Final = 4


@dataclass(frozen=True)
class HealthProbe:
    """Samples the EMA weights on a few fixed training clips; draws nothing from the training's generators.

    Attributes:
        batch: whole clips with their conditions.
    """

    codecs: Codecs
    batch: AVBatch

    def __call__(self, method: Method) -> dict[str, float]:
        """Probes by name; those of the two modes only where the sampler jumps."""
        network = method.ema
        spec = method.sampler(_steps(method))
        made = Sampler(network, spec, network.spec.clip.chunks - 1)
        noise = made.noise(self.batch.latents.batch, self.batch.latents.chunks, SEED)
        device = next(network.parameters()).device
        latents = made.clip(self.batch.condition, noise.map(lambda z: z.to(device)), SEED)
        found = {}
        for name, z in latents.parts().items():
            found[f"latent_mean_{name}"] = float(z.mean())
            found[f"latent_rms_{name}"] = float(z.square().mean().sqrt())
        found |= _seen_and_heard(self.codecs, *self.codecs.decode(latents.map(lambda z: z.cpu())))
        if spec.solver == "jump":
            found["jump_cosine"] = jump_cosine(network, self.batch, torch.Generator().manual_seed(SEED))
            found["mode_gap"] = mode_gap(network, self.batch, torch.Generator().manual_seed(SEED))
        return {f"probe_{name}": value for name, value in found.items()}


def _steps(method: Method) -> int:
    """The step count nearest to four that the method was made for."""
    return min(method.on_design or method.steps or (FEW,), key=lambda steps: abs(steps - FEW))


def _seen_and_heard(codecs: Codecs, face: FloatArray, mel: FloatArray) -> dict[str, float]:
    """Loudness, motion, and how saturation and contrast change from the first to the last quarter."""
    pixels = codecs.video.render(face).astype(np.float32) / 255  # [clips, frames, height, width, 3]
    saturation = (pixels.max(-1) - pixels.min(-1)).mean((0, 2, 3))
    contrast = pixels.mean(-1).std((2, 3)).mean(0)
    return {
        "audio_rms_db": float(mean_level_db(level_db(mel)).mean()),
        "motion_energy": float(np.abs(np.diff(pixels, axis=1)).mean()),
        "saturation_drift": _drift(saturation),
        "contrast_drift": _drift(contrast),
    }


def _drift(frames: FloatArray) -> float:
    part = max(1, len(frames) // QUARTER)
    return float(frames[-part:].mean() - frames[:part].mean())
