"""Whose voice is heard, read from log-mel.

A discriminant between the voices of the training split turns the mean spectrum of a clip's voiced frames
into an embedding in which what is said counts little. A voice that the training split holds is where its
clips lie on average; one that was held out is where a few sentences of it lie (it is enrolled, as in the
verification of speakers): the embedding never learned from it and knows it all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.character.speech import control_tracks, synthesise
from mfbench.character.streams import stream
from mfbench.character.timeline import Timeline
from mfbench.character.voices import VOICES, Voice
from mfbench.mel import BANDS, log_mel
from mfbench.metrics.level import level_db
from mfbench.metrics.readers import linear
from mfbench.metrics.readers.speech import MEL_RATE_HZ

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

LEAST_VOICED_S = 0.32
_AUDIBLE_DB = 25.0  # below the loud frames of a clip
_LOUD = 0.95  # quantile
_LOW_BANDS = slice(0, BANDS // 2)  # up to 1.6 kHz: there a voice is stronger than friction is
_HIGH_BANDS = slice(BANDS // 2, BANDS)
_SHRINKAGE = 0.3  # the spectrum of a little hiss must not count for more than a voice
_SENTENCES = 4  # of the enrolment of a voice


@dataclass(frozen=True)
class VoiceReading:
    """Whose voice clips have.

    Attributes:
        likeness: cosine with every voice of `character.voices`, [clips, voices]; nan where less than 0.32 s
            is voiced.
    """

    likeness: FloatArray


@dataclass(frozen=True)
class VoiceReader:
    """Discriminant of mean spectra; see the module.

    Attributes:
        basis: spectrum to embedding, [bands, values]; `centre` [bands].
        means: embedding of every voice, [voices, values].
    """

    basis: FloatArray
    centre: FloatArray
    means: FloatArray

    @classmethod
    def fit(cls, mel: FloatArray, voice: IntArray, timelines: Sequence[Timeline]) -> Self:
        """Fit on the training split.

        Args:
            mel: log-mel [clips, mel_frames, bands].
            voice: of every clip, index into VOICES, [clips].
            timelines: what is said, per clip; held-out voices are enrolled with the first few.

        Raises:
            ValueError: for less than two voices, which no discriminant can tell apart.
        """
        known = np.unique(voice)
        if len(voice) != len(mel) or len(known) < 2:
            raise ValueError(
                f"{len(mel)} clips have {len(voice)} voices, {len(known)} of them different; wanted is one "
                "per clip and at least two different ones"
            )
        spectra = mean_spectra(mel)
        heard = np.isfinite(spectra).all(1)
        found = linear.discriminant(spectra[heard], voice[heard], len(known) - 1, shrinkage=_SHRINKAGE)
        means = np.zeros((len(VOICES), found.basis.shape[1]), np.float32)
        for index, one in enumerate(VOICES):
            if index in known:
                means[index] = found.means[index]
            else:
                enrolled = mean_spectra(_sentences(one, timelines[:_SENTENCES]))
                means[index] = ((enrolled - found.centre) @ found.basis).mean(0)
        return cls(found.basis, found.centre, means)

    def read(self, mel: FloatArray) -> VoiceReading:
        """Log-mel [clips, mel_frames, bands] => whose voice it is; clips of any length."""
        codes = (mean_spectra(mel) - self.centre) @ self.basis
        norms = np.linalg.norm(codes, axis=1)[:, None] * np.linalg.norm(self.means, axis=1)
        return VoiceReading(np.asarray(codes @ self.means.T / np.maximum(norms, 1e-9), dtype=np.float32))

    def state(self) -> dict[str, FloatArray]:
        """Everything that `fit` found."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def mean_spectra(mel: FloatArray) -> FloatArray:
    """Mean shape of the voiced spectra of clips, without their level, [clips, bands].

    A frame is voiced where it is audible and low bands are stronger than high ones; nan in clips that are not
    voiced for 0.32 s.
    """
    level = level_db(mel)
    audible = level > np.quantile(level, _LOUD, axis=1, keepdims=True) - _AUDIBLE_DB
    voiced = audible & (mel[..., _LOW_BANDS].mean(-1) > mel[..., _HIGH_BANDS].mean(-1))
    shape = mel - mel.mean(-1, keepdims=True)
    count = voiced.sum(1)
    total = (shape * voiced[..., None]).sum(1)
    enough = count >= round(LEAST_VOICED_S * MEL_RATE_HZ)
    return np.asarray(
        np.where(enough[:, None], total / np.maximum(count, 1)[:, None], np.nan), dtype=np.float32
    )


def _sentences(voice: Voice, timelines: Sequence[Timeline]) -> FloatArray:
    """What a voice sounds like when it says this, log-mel [sentences, mel_frames, bands]."""
    waves = []
    for index, timeline in enumerate(timelines):
        tracks = control_tracks(timeline, voice, stream(0, "enrolment", index, "pitch"))
        waves.append(synthesise(tracks, voice, stream(0, "enrolment", index, "noise")))
    return np.asarray(log_mel(torch.from_numpy(np.stack(waves))).numpy())
