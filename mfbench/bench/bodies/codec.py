"""The codec stage: codecs fitted on training clips, and the training split as latents."""

from __future__ import annotations

from dataclasses import replace

from safetensors.torch import save_file

from mfbench.bench import clips, latents
from mfbench.bench.bodies.data import build_world
from mfbench.bench.stage import StageContext, StageResult
from mfbench.data.conditions import VOCABULARY

VERSION = 1


def run(context: StageContext) -> StageResult:
    """Write `codec.safetensors` and `train.safetensors`."""
    world = build_world(context)
    train = clips.load(context.parents["data"].folder / "train.npz")
    codecs = latents.make(world.preset, world.spec)
    codecs.video.fit(train.face)
    codecs.audio.fit(train.mel)
    codecs.save(context.out / "codec.safetensors")
    encoded = codecs.encode(replace(train, face=world.augmented(train.face)))
    save_file(
        {
            **{name: part.contiguous() for name, part in encoded.latents.parts().items()},
            "frame_reference": encoded.frame_reference.contiguous(),
            "voice": encoded.voice,
            "words": encoded.words,
        },
        context.out / "train.safetensors",
    )
    facts = {
        "preset": world.preset,
        "spec": world.spec.to_json(),
        "reference_channels": encoded.frame_reference.shape[-1] + encoded.voice.shape[-1],
        "slots": encoded.words.shape[-1],
        "vocabulary": VOCABULARY,
    }
    return StageResult(facts)
