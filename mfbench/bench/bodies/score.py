"""The score stage: decode, read once, every metric of the suite, bootstrap replicates, gallery media."""

from __future__ import annotations

from typing import Any

from mfbench.bench.bodies import beyond
from mfbench.bench.bodies.gallery import PROXY, gallery
from mfbench.bench.bodies.judge import observe_real, prompts_of, readers_of
from mfbench.bench.bodies.measuring import material, measure, observed_as, seed_of
from mfbench.bench.latents import fitted
from mfbench.bench.playback import picture
from mfbench.bench.stage import StageContext, StageResult

VERSION = 3


def run(context: StageContext) -> StageResult:
    """Score one cell or an anchor."""
    real, reference = observe_real(context, "test")[0], observe_real(context, "reference")[1]
    codecs, readers = fitted(context.parents["codec"]), readers_of(context)
    face, mel = material(context, codecs, real, "latents")
    observed = observed_as(context, readers, picture(codecs, face), mel)
    prompts = prompts_of(real, seed_of(context))
    short = [name for name in context.fields["metrics"] if not beyond.covers(name)]
    metrics = {name: measure(context, name, observed, reference, prompts) for name in short}
    drift, slopes = beyond.long_horizon(context, codecs, readers)
    values: dict[str, Any] = {"drift": drift} if drift else {}
    if context.spec.component == "real":
        values["codec_floor"] = context.parents["judge"].result.values["codec_floor"]
    media = gallery(context, codecs, face, mel, metrics.get(PROXY, {}).get("per_clip"))
    return StageResult(values, metrics | slopes | beyond.diversity(context, codecs, readers), media)
