"""Latents of one chunk to pictures and sound in host memory, as a player receives them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.bench.latents import Codecs
from mfbench.bench.sampling import Sampler
from mfbench.character.face import FACE_PARAMETERS, render
from mfbench.codecs.base import FloatArray
from mfbench.codecs.streaming_vocoder import StreamingVocoder
from mfbench.types import AV, Condition


@dataclass(frozen=True)
class PlayedChunk:
    """One chunk as it reaches the viewer.

    Attributes:
        frames: uint8 [frames, size, size, 3].
        waveform: float32 [samples].
        ready_s: seconds from the request until this chunk was in host memory.
        denoised_s: seconds from the request until its latents were there.
    """

    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]
    ready_s: float
    denoised_s: float


def play(
    sampler: Sampler, codecs: Codecs, condition: Condition, seed: int, size_px: int | None = None
) -> Iterator[PlayedChunk]:
    """Stream one clip (batch 1); the clock starts at the call of the first chunk."""
    vocoder = StreamingVocoder(torch.Generator().manual_seed(seed))
    chunks = condition.words.shape[1]
    started = time.perf_counter()
    noise = sampler.noise(1, chunks, seed)
    if sampler.spec.streaming:
        made = sampler.chunks(condition, noise, seed)
    else:
        clip = sampler.clip(condition, noise, seed)
        made = (clip.chunk(k) for k in range(chunks))
    for latents in made:
        denoised = time.perf_counter() - started
        frames, waveform = decode_chunk(codecs, latents, vocoder, size_px)
        yield PlayedChunk(frames, waveform, time.perf_counter() - started, denoised)


def decode_chunk(
    codecs: Codecs, latents: AV, vocoder: StreamingVocoder, size_px: int | None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures and sound of one chunk of a batch of one."""
    face, mel = codecs.decode(latents)
    return picture(codecs, face, size_px)[0], vocoder(torch.from_numpy(mel[0])).numpy()


def picture(codecs: Codecs, decoded: FloatArray, size_px: int | None = None) -> NDArray[np.uint8]:
    """Decoded video => pixels at the world's size, or larger where the decoder is the renderer."""
    if size_px is None or decoded.shape[-1] != len(FACE_PARAMETERS):
        return codecs.video.render(decoded)
    frames = render(decoded.reshape(-1, decoded.shape[-1]), size_px)
    return frames.reshape(*decoded.shape[:2], size_px, size_px, 3)
