"""Latents of one chunk to pictures and sound in host memory, as a player receives them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.bench.latents import Codecs
from mfbench.bench.sampling import Sampler
from mfbench.character.face import FACE_PARAMETERS, render
from mfbench.codecs.base import FloatArray
from mfbench.codecs.streaming_vocoder import StreamingVocoder
from mfbench.models.av_transformer import AVTransformer
from mfbench.models.kv_cache import KVCache
from mfbench.types import AV, Attention, Condition

Clock = Callable[[], float]
Stage = Literal["denoise", "cache_write", "video_decode", "vocoder", "host_copy"]


@dataclass(frozen=True)
class StageTimes:
    """Seconds of one chunk by stage; they add up to all that was spent on it.

    Attributes:
        denoise_s: noise to latents, the sampler's own arithmetic included.
        cache_write_s: the chunk before written into the history.
        video_decode_s: video latents to pixels.
        vocoder_s: audio latents to samples, the mel spectrogram included.
        host_copy_s: latents to host memory, and the finished chunk laid out contiguously.
    """

    denoise_s: float
    cache_write_s: float
    video_decode_s: float
    vocoder_s: float
    host_copy_s: float


STAGES: tuple[Stage, ...] = ("denoise", "cache_write", "video_decode", "vocoder", "host_copy")


@dataclass(frozen=True)
class PlayedChunk:
    """One chunk as it reaches the viewer.

    Attributes:
        frames: uint8 [frames, size, size, 3].
        waveform: float32 [samples].
        ready_s: seconds from the request until this chunk was in host memory.
        stages: where the time went; None in an undisturbed playback.
    """

    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]
    ready_s: float
    stages: StageTimes | None = None


class Borders:
    """Borders between stages that nobody watches: the undisturbed playback."""

    def resume(self) -> None:
        """Work on a chunk begins."""

    def lap(self, stage: Stage) -> None:
        """A stage ends."""

    def times(self) -> StageTimes | None:
        """What was measured since the last `resume`."""
        return None


class Stopwatch(Borders):
    """Waits for the device at every border and notes the time.

    The waiting keeps stages from overlapping, so these numbers are never mixed with undisturbed ones.
    """

    def __init__(self, clock: Clock, device: torch.device) -> None:
        self.clock, self.device = clock, device
        self.resume()

    def resume(self) -> None:
        """Start anew; the time since the last lap belongs to whoever took the chunk."""
        self.spent = dict.fromkeys(STAGES, 0.0)
        self.last = self.clock()

    def lap(self, stage: Stage) -> None:
        """Everything since the last border was this stage."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now = self.clock()
        self.spent[stage] += now - self.last
        self.last = now

    def times(self) -> StageTimes:
        """Seconds by stage since the last `resume`."""
        return StageTimes(**{f"{stage}_s": spent for stage, spent in self.spent.items()})


class _Bordered:
    """A network with borders around the writing of its history, as the rollout sees it."""

    def __init__(self, network: AVTransformer, borders: Borders) -> None:
        self.network, self.borders = network, borders

    def new_cache(self, *, window: int | None = None, sinks: int = 0) -> KVCache:
        return self.network.new_cache(window=window, sinks=sinks)

    def encode(self, x: AV, condition: Condition, start: int, cache: KVCache, time: float = 0.0) -> KVCache:
        self.borders.lap("denoise")
        written = self.network.encode(x, condition, start, cache, time)
        self.borders.lap("cache_write")
        return written

    def denoise(
        self,
        x_t: AV,
        t: AV,
        d: AV,
        condition: Condition,
        start: int,
        cache: KVCache,
        attention: Attention = "own",
    ) -> AV:
        return self.network.denoise(x_t, t, d, condition, start, cache, attention)


def play(
    sampler: Sampler,
    codecs: Codecs,
    condition: Condition,
    seed: int,
    size_px: int | None = None,
    *,
    stages: bool = False,
    clock: Clock = time.perf_counter,
) -> Generator[PlayedChunk, None, None]:
    """Stream one clip (batch 1) on the device of the network; the clock starts at the first chunk's call.

    Undisturbed, the copy of a chunk's latents to the host is the only wait for the device. With `stages` the
    device is waited for at every border, and each chunk tells where its time went.
    """
    vocoder = StreamingVocoder(torch.Generator().manual_seed(seed))
    device = next(sampler.network.parameters()).device
    started = clock()
    borders = Stopwatch(clock, device) if stages else Borders()
    chunks = _chunks(sampler, condition, seed, device, borders)
    for latents in chunks:
        frames, waveform = decode_chunk(codecs, latents, vocoder, size_px, borders)
        yield PlayedChunk(frames, waveform, clock() - started, borders.times())
        borders.resume()


def _chunks(
    sampler: Sampler, condition: Condition, seed: int, device: torch.device, borders: Borders
) -> Iterator[AV]:
    """Latents chunk by chunk; a sampler that does not stream makes all of them before the first."""
    chunks = condition.words.shape[1]
    noise = sampler.noise(1, chunks, seed).map(lambda z: z.to(device))
    given = Condition(*(part.to(device) for part in (condition.reference, condition.words, condition.null)))
    network = cast(AVTransformer, _Bordered(sampler.network, borders))
    watched = replace(sampler, network=network)
    if watched.spec.streaming:
        made = watched.chunks(given, noise, seed)
    else:
        clip = watched.clip(given, noise, seed)
        made = (clip.chunk(k) for k in range(chunks))
    for latents in made:
        borders.lap("denoise")
        yield latents


def decode_chunk(
    codecs: Codecs,
    latents: AV,
    vocoder: StreamingVocoder,
    size_px: int | None = None,
    borders: Borders | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures and sound of one chunk of a batch of one, contiguous in host memory."""
    borders = borders or Borders()
    there = latents.map(lambda z: z.cpu())
    borders.lap("host_copy")
    assert there.video is not None
    assert there.audio is not None
    frames = picture(codecs, codecs.video.decode(there.video), size_px)[0]
    borders.lap("video_decode")
    waveform = vocoder(torch.from_numpy(codecs.audio.decode(there.audio)[0])).numpy()
    borders.lap("vocoder")
    laid_out = np.ascontiguousarray(frames), np.ascontiguousarray(waveform)
    borders.lap("host_copy")
    return laid_out


def picture(codecs: Codecs, decoded: FloatArray, size_px: int | None = None) -> NDArray[np.uint8]:
    """Decoded video => pixels at the world's size, or larger where the decoder is the renderer."""
    if size_px is None or decoded.shape[-1] != len(FACE_PARAMETERS):
        return codecs.video.render(decoded)
    frames = render(decoded.reshape(-1, decoded.shape[-1]), size_px)
    return frames.reshape(*decoded.shape[:2], size_px, size_px, 3)
