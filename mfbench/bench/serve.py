"""A trained method out of a run folder, ready to stream any words in any voice and face."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mfbench.bench.latents import Codecs, fitted
from mfbench.bench.sampling import Sampler, sampler_of
from mfbench.bench.stage import Stage
from mfbench.bench.store import Store
from mfbench.character.face import FACE_PARAMETERS, LIGHT
from mfbench.character.identity import IDENTITIES, identity_parameters
from mfbench.character.lexicon import LEXICON, WORD_INDEX
from mfbench.character.streams import stream
from mfbench.character.timeline import Timeline, script, spoken_script
from mfbench.character.voices import VOICES, voice_descriptor
from mfbench.data.conditions import word_slots
from mfbench.errors import UsageError
from mfbench.registry import import_tree
from mfbench.training.checkpoints import CheckpointError, load_network
from mfbench.types import Condition


@dataclass(frozen=True)
class Served:
    """A sampler with the codecs of its world."""

    sampler: Sampler
    codecs: Codecs


def serve(run: Path, method: str, steps: int, imports: list[str]) -> Served:
    """Load the newest finished training of a method in a run folder.

    Raises:
        UsageError: no such run, method or step count.
    """
    for module in imports:
        import_tree(module)
    store, stages = Store(run), _trainings(run)
    if method not in stages:
        near = difflib.get_close_matches(method, stages, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(stages)) or 'none'}"
        raise UsageError(f"{run} holds no finished training called {method!r}; {hint}")
    train = store.parent("train", stages[method].id)
    codecs = fitted(store.parent("codec", train.spec.parents["codec"]))
    try:
        network = load_network(train.folder / "ema.safetensors")
        sampler = sampler_of(method, train.spec.fields["options"], network, steps)
    except (CheckpointError, ValueError) as error:
        raise UsageError(str(error)) from error
    return Served(sampler, codecs)


def _trainings(run: Path) -> dict[str, Stage]:
    """Finished trainings by method; the last published one wins."""
    found = sorted(run.glob("stages/train/*/spec.json"), key=lambda p: p.stat().st_mtime)
    stages = [Store(run).stage(path.parent) for path in found]
    return {stage.spec.component: stage for stage in stages}


def prompt(
    served: Served, words: list[str], voice: int, identity: int, seconds: float, seed: int
) -> Condition:
    """The condition of one clip: words in order (random ones where none are given), voice and face.

    Raises:
        UsageError: an unknown word, voice or identity, or words that do not fit into the seconds.
    """
    spec = served.codecs.spec
    if not 0 <= voice < len(VOICES) or not 0 <= identity < len(IDENTITIES):
        raise UsageError(
            f"voice {voice} and identity {identity} were asked for; voices are 0..{len(VOICES) - 1}, "
            f"identities 0..{len(IDENTITIES) - 1}"
        )
    chunks = max(1, round(seconds / spec.chunk_seconds))
    timeline = _timeline(words, VOICES[voice].rate, chunks * spec.chunk_seconds, seed)
    slots = word_slots(timeline, spec.chunk_seconds, chunks)
    face = np.zeros((1, spec.frames_per_chunk, len(FACE_PARAMETERS)), np.float32)
    face[..., FACE_PARAMETERS.index("width")] = 0.5
    looks = identity_parameters(IDENTITIES[identity])
    face[..., -len(looks) :] = looks
    face[..., LIGHT] = 1.0
    first = served.codecs.video.encode(face)[:, 0, 0, : served.codecs.reference_channels]
    reference = torch.cat([first, torch.from_numpy(voice_descriptor(VOICES[voice]))[None]], -1)
    return Condition(reference, torch.from_numpy(slots)[None], torch.zeros(1, dtype=torch.bool))


def _timeline(words: list[str], rate: float, seconds: float, seed: int) -> Timeline:
    rng = stream(seed, "generate", 0, "script")
    if not words:
        return script(rng, seconds, rate)
    unknown = [w for w in words if w not in WORD_INDEX]
    if unknown:
        known = ", ".join(word.text for word in LEXICON)
        raise UsageError(f"unknown words {', '.join(unknown)}; the lexicon is {known}")
    timeline = spoken_script(tuple(WORD_INDEX[w] for w in words), rng, rate)
    if timeline.duration_s > seconds:
        raise UsageError(
            f"{len(words)} words take about {timeline.duration_s:.2f} s and the clip has {seconds:.2f} s; "
            "give more --seconds or fewer words"
        )
    return timeline
