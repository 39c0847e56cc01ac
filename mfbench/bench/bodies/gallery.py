"""Best, median and worst clip of a cell as playable files."""

from __future__ import annotations

from typing import Any

import torch

from mfbench.bench.bodies.measuring import seed_of
from mfbench.bench.latents import Codecs
from mfbench.bench.playback import picture
from mfbench.bench.stage import StageContext
from mfbench.codecs.base import FloatArray
from mfbench.codecs.vocoder import vocode
from mfbench.data.media import write_mp4

GALLERY_PX = 96
PROXY = "sync_corr"  # per-clip stand-in by which best, median and worst clips are chosen


def gallery(
    context: StageContext,
    codecs: Codecs,
    face: FloatArray,
    mel: FloatArray,
    proxy: list[float | None] | None,
) -> list[dict[str, Any]]:
    """Write the clips of the first sampling seed; nothing for other seeds."""
    if seed_of(context) != 0 or not proxy:
        return []
    ranked = sorted((value, i) for i, value in enumerate(proxy) if value is not None)
    if not ranked:
        return []
    picks = {"best": ranked[-1][1], "median": ranked[len(ranked) // 2][1], "worst": ranked[0][1]}
    media = []
    for role, index in picks.items():
        frames = picture(codecs, face[index : index + 1], GALLERY_PX)[0]
        other = (index - 1) % len(mel) if context.spec.component == "null" else index
        sound = vocode(torch.from_numpy(mel[other]), torch.Generator().manual_seed(index)).numpy()
        spec = codecs.spec
        write_mp4(
            context.out / f"{role}.mp4",
            frames,
            sound,
            fps=spec.frame_rate_hz,
            sample_rate_hz=spec.sample_rate_hz,
        )
        caption = f"clip {index}, {PROXY} {proxy[index]:.2f}"
        media.append({"path": f"{role}.mp4", "role": role, "clip": str(index), "caption": caption})
    return media
