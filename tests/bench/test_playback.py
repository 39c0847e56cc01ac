"""Latents to pictures and sound, chunk by chunk, on a small real world."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import numpy as np
import pytest
import torch

from mfbench.bench import clips, latents
from mfbench.bench.latents import Codecs
from mfbench.bench.playback import STAGES, Stopwatch, play
from mfbench.bench.sampling import conditions, sampler_of
from mfbench.bench.serve import Served, prompt
from mfbench.character.lexicon import LEXICON, WORD_INDEX
from mfbench.codecs.streaming_vocoder import StreamingVocoder
from mfbench.data.talking_character import TalkingCharacter
from mfbench.errors import UsageError
from mfbench.mel import log_mel
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.registry import import_tree

import_tree("baselines")


@pytest.fixture(scope="module")
def world() -> tuple[TalkingCharacter, clips.Clips, Codecs]:
    made = TalkingCharacter(train_clips=12, seconds=2.56)
    real = clips.from_character(made.arrays("train", 12, 2.56))
    codecs = latents.make("motion", made.spec)
    codecs.video.fit(real.face)
    codecs.audio.fit(real.mel)
    return made, real, codecs


def _sampler(codecs: Codecs, method: str = "MutualForcing", steps: int = 2):  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    channels = codecs.reference_channels + 5
    network = AVTransformer(
        TransformerSpec(clip=codecs.spec, dim=16, depth=1, heads=2, reference_channels=channels)
    )
    return sampler_of(method, {}, network, steps)


def test_clips_survive_the_disk(world, tmp_path) -> None:  # type: ignore[no-untyped-def]
    _, real, _ = world
    clips.save(real, tmp_path / "x.npz")
    again = clips.load(tmp_path / "x.npz")
    assert again.timelines == real.timelines
    for name in ("face", "mel", "words", "voice_descriptor", "voice", "identity"):
        assert np.array_equal(getattr(again, name), getattr(real, name))


def test_codecs_survive_the_disk(world, tmp_path) -> None:  # type: ignore[no-untyped-def]
    made, real, codecs = world
    codecs.save(tmp_path / "codec.safetensors")
    again = latents.load(tmp_path / "codec.safetensors", "motion", made.spec)
    a, b = (c.encode(real).latents for c in (codecs, again))
    assert torch.allclose(a.any, b.any)
    face, mel = again.decode(a)
    assert float(np.abs(face - real.face).max()) < 1e-4
    assert mel.shape == real.mel.shape


def test_streamed_chunks_are_the_clip(world) -> None:  # type: ignore[no-untyped-def]
    """Playing chunk by chunk shows what generating the whole clip shows."""
    _, real, codecs = world
    sampler = _sampler(codecs)
    one = conditions(real, codecs.encode(real).frame_reference[:, 0])
    one = type(one)(one.reference[:1], one.words[:1], one.null[:1])
    played = list(play(sampler, codecs, one, seed=3))
    assert len(played) == codecs.spec.chunks
    assert [c.ready_s for c in played] == sorted(c.ready_s for c in played)
    whole = sampler.clip(one, sampler.noise(1, codecs.spec.chunks, 3), 3)
    frames = codecs.video.render(codecs.decode(whole)[0])[0]
    assert np.array_equal(np.concatenate([c.frames for c in played]), frames)
    assert sum(len(c.waveform) for c in played) == codecs.spec.samples


def _one(codecs: Codecs, real: clips.Clips, index: int = 0):  # type: ignore[no-untyped-def]
    whole = conditions(real, codecs.encode(real).frame_reference[:, 0])
    row = slice(index, index + 1)
    return type(whole)(whole.reference[row], whole.words[row], whole.null[row])


def _ticks():  # type: ignore[no-untyped-def]
    """A clock that moves by one second whenever it is read."""
    count = itertools.count()
    return lambda: float(next(count))


def test_an_undisturbed_playback_reads_its_clock_once_per_chunk(world) -> None:  # type: ignore[no-untyped-def]
    _, real, codecs = world
    played = list(play(_sampler(codecs), codecs, _one(codecs, real), seed=3, clock=_ticks()))
    assert [chunk.ready_s for chunk in played] == [float(k + 1) for k in range(codecs.spec.chunks)]
    assert all(chunk.stages is None for chunk in played)


def test_a_watched_playback_shows_the_same_clip_and_knows_its_stages(world) -> None:  # type: ignore[no-untyped-def]
    """One tick per border: the chunk before is written, then denoised, copied, decoded, voiced, copied."""
    _, real, codecs = world
    one = _one(codecs, real)
    plain = list(play(_sampler(codecs), codecs, one, seed=3))
    watched = list(play(_sampler(codecs), codecs, one, seed=3, stages=True, clock=_ticks()))
    for a, b in zip(plain, watched, strict=True):
        assert np.array_equal(a.frames, b.frames)
        assert np.array_equal(a.waveform, b.waveform)
    stages = [dict(zip(STAGES, astuple(chunk.stages), strict=True)) for chunk in watched]
    first = {"denoise": 1, "cache_write": 0, "video_decode": 1, "vocoder": 1, "host_copy": 2}
    ready = np.diff([chunk.ready_s for chunk in watched], prepend=0.0)
    spent = np.array([sum(astuple(chunk.stages)) for chunk in watched])
    assert (spent == ready - 2).all()  # the clock is also read to start, and to say when the chunk is ready
    assert stages[0] == first
    assert all(times == first | {"denoise": 2, "cache_write": 1} for times in stages[1:])


def test_a_sampler_of_whole_clips_denoises_before_its_first_chunk(world) -> None:  # type: ignore[no-untyped-def]
    _, real, codecs = world
    sampler = _sampler(codecs, "Bidirectional")
    played = list(play(sampler, codecs, _one(codecs, real), seed=3, stages=True))
    assert played[0].stages.denoise_s > 10 * np.median([chunk.stages.denoise_s for chunk in played[1:]])
    assert all(chunk.stages.cache_write_s == 0.0 for chunk in played)


def test_what_happens_between_resume_and_lap_belongs_to_one_stage() -> None:
    times = iter([0.0, 1.0, 1.5, 7.0, 7.25])
    watch = Stopwatch(lambda: next(times), torch.device("cpu"))
    watch.lap("denoise")
    watch.lap("denoise")
    assert watch.times().denoise_s == 1.5
    watch.resume()  # whoever took the chunk kept it for 5.5 s
    watch.lap("vocoder")
    assert (watch.times().denoise_s, watch.times().vocoder_s) == (0.0, 0.25)


def test_the_streaming_vocoder_says_what_the_mel_says(world) -> None:  # type: ignore[no-untyped-def]
    """Chunk-wise sound, measured again, is close to the mel it came from, at borders too."""
    _, real, codecs = world
    mel = torch.from_numpy(real.mel[0])
    vocoder = StreamingVocoder(torch.Generator().manual_seed(0))
    size = codecs.spec.mel_frames_per_chunk
    parts = [vocoder(mel[i : i + size]) for i in range(0, len(mel), size)]
    error = (log_mel(torch.cat(parts)) - mel).abs()
    border = torch.zeros(len(mel), dtype=torch.bool)
    for k in range(size, len(mel), size):
        border[k - 1 : k + 1] = True
    assert float(error.mean()) < 0.6
    assert float(error[border].mean()) < 2 * float(error[~border].mean()) + 0.2


def test_prompts_are_checked(world) -> None:  # type: ignore[no-untyped-def]
    _, _, codecs = world
    served = Served(_sampler(codecs), codecs)
    condition = prompt(served, ["maa", "biy"], 1, 2, 1.92, 0)
    assert condition.words.shape == (1, 6, 4)
    said = {(word - 1) % len(LEXICON) for word in condition.words.unique().tolist() if word}
    assert said == {WORD_INDEX["maa"], WORD_INDEX["biy"]}
    assert condition.reference.shape == (1, codecs.reference_channels + 5)
    with pytest.raises(UsageError, match="unknown words hello; the lexicon is maa"):
        prompt(served, ["hello"], 1, 2, 1.92, 0)
    with pytest.raises(UsageError, match="give more --seconds or fewer words"):
        prompt(served, ["maa"] * 9, 1, 2, 0.64, 0)
    with pytest.raises(UsageError, match=r"voices are 0\.\.7"):
        prompt(served, [], 8, 2, 0.64, 0)


def test_a_bidirectional_sampler_does_not_stream(world) -> None:  # type: ignore[no-untyped-def]
    _, real, codecs = world
    sampler = _sampler(codecs, "Bidirectional")
    one = conditions(real, codecs.encode(real).frame_reference[:, 0])
    with pytest.raises(ValueError, match="whole clip at once"):
        next(sampler.chunks(one, sampler.noise(12, 8, 0), 0))
