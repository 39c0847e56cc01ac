"""The data stage: training clips, or everything a cell is tested with."""

from __future__ import annotations

from mfbench.bench import clips
from mfbench.bench.stage import StageContext, StageResult
from mfbench.data.talking_character import TalkingCharacter
from mfbench.registry import WORLDS

VERSION = 1


def run(context: StageContext) -> StageResult:
    """Write `train.npz`, or `test.npz`, `reference.npz` and `long.npz`."""
    world = build_world(context)
    fields = context.fields
    if fields["part"] == "train":
        wanted = {"train": ("train", world.train_clips, world.seconds)}
    else:
        wanted = {
            "test": ("test", fields["prompts"], fields["seconds"]),
            "reference": ("reference", fields["reference"], fields["seconds"]),
        }
        if fields["long_prompts"]:
            wanted["long"] = ("test", fields["long_prompts"], fields["long_seconds"])
    for done, (name, (split, count, seconds)) in enumerate(wanted.items()):
        made = clips.from_character(world.arrays(split, count, seconds, workers=context.workers))
        clips.save(made, context.out / f"{name}.npz")
        context.progress(done + 1, len(wanted), f"{count} clips of {split}")
    return StageResult({"clips": {name: count for name, (_, count, _) in wanted.items()}})


def build_world(context: StageContext) -> TalkingCharacter:
    """The world that the stage's fields describe."""
    world = WORLDS.build({"type": context.spec.component, **context.fields["world"]})
    assert isinstance(world, TalkingCharacter)
    return world
