"""What is said, read from log-mel: phones, words, and the mouth that would say it.

A discriminant over 16 phones x 3 states gives frame scores; decoding over a loop of phones or of the lexicon
gives what is said; a ridge on the state posteriors of a few frames gives the mouth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from mfbench.character.lexicon import LEXICON
from mfbench.character.phones import PHONE_INDEX, PHONES
from mfbench.character.timeline import Timeline
from mfbench.mel import BANDS, HOP_SAMPLES, SAMPLE_RATE_HZ, normalise_mel
from mfbench.metrics.readers import linear
from mfbench.metrics.readers.viterbi import STATES_PER_PHONE, UnitLoop, decode

FloatArray = NDArray[np.float32]

MEL_RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
_CONTEXT = 2  # frames on either side
_DIM = 40
_SHRINKAGE = 2e-2
_NOISE = 0.03  # variance, in normalised mel; makes the reader forgive slightly noisy sound
_SCALE = 0.35  # of log scores: neighbouring frames are far from independent
_MOUTH_CONTEXT = (-2, 0, 2)  # frames; the mouth is slower than the sound
_MOUTH_RIDGE = 1e-3
_FAR = 1e3
_SILENCE = PHONE_INDEX["SIL"]


@dataclass(frozen=True)
class SpeechReading:
    """What clips of log-mel say.

    Attributes:
        mouth: open, width, round, teeth of the mouth that would say it, [clips, mel_frames, 4].
        speech: probability that a phone other than silence sounds, [clips, mel_frames].
        phones: decoded phones without silence, names, per clip.
        words: decoded lexicon indices, per clip.
        phone_onsets_s, word_onsets_s: when they begin, in seconds.
    """

    mouth: FloatArray
    speech: FloatArray
    phones: tuple[tuple[str, ...], ...]
    words: tuple[tuple[int, ...], ...]
    phone_onsets_s: tuple[tuple[float, ...], ...]
    word_onsets_s: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class SpeechReader:
    """Discriminant with state means; see the module.

    Attributes:
        basis: [context values, dim]; `centre` [context values]; `means` [states, dim].
        log_prior: log share of every state, [states].
        mouth_weights: posteriors of `_MOUTH_CONTEXT` to mouth shape, [3 * states, 4]; `mouth_bias` [4].
    """

    basis: FloatArray
    centre: FloatArray
    means: FloatArray
    log_prior: FloatArray
    mouth_weights: FloatArray
    mouth_bias: FloatArray

    @classmethod
    def fit(
        cls, mel: FloatArray, timelines: Sequence[Timeline], mouth: FloatArray, frame_rate_hz: float
    ) -> Self:
        """Fit on the training split.

        Args:
            mel: log-mel [clips, mel_frames, bands].
            timelines: what is said when, per clip.
            mouth: open, width, round, teeth of every video frame, [clips, frames, 4].
            frame_rate_hz: video frames per second.
        """
        count = mel.shape[1]
        rows = with_context(mel).reshape(-1, BANDS * (2 * _CONTEXT + 1))
        labels = np.concatenate([state_labels(timeline, count) for timeline in timelines])
        found = linear.discriminant(rows, labels, _DIM, shrinkage=_SHRINKAGE, noise=_NOISE)
        states = len(PHONES) * STATES_PER_PHONE
        counts = np.bincount(labels, minlength=states)
        means = np.full((states, _DIM), _FAR, dtype=np.float32)  # a state that never occurs is never read
        means[counts > 0] = found.means[counts[: len(found.means)] > 0]
        deaf = cls(
            basis=found.basis,
            centre=found.centre,
            means=means,
            log_prior=np.log((counts + 1.0) / len(labels)).astype(np.float32),
            mouth_weights=np.zeros((len(_MOUTH_CONTEXT) * states, 4), np.float32),
            mouth_bias=np.zeros(4, np.float32),
        )
        return deaf._with_mouth(mel, at_mel_rate(mouth, frame_rate_hz, count))

    def read(self, mel: FloatArray) -> SpeechReading:
        """Log-mel [clips, mel_frames, bands] => what it says."""
        scores = _SCALE * self._scores(mel)
        mouth, speech = self._mouth_and_speech(scores)
        phones = _without_silence(decode(scores, _PHONE_LOOP), _SILENCE)
        words = _without_silence(decode(scores, _WORD_LOOP), 0)
        return SpeechReading(
            mouth=mouth,
            speech=speech,
            phones=tuple(tuple(PHONES[unit].name for unit, _ in clip) for clip in phones),
            words=tuple(tuple(unit - 1 for unit, _ in clip) for clip in words),
            phone_onsets_s=tuple(tuple(t / MEL_RATE_HZ for _, t in clip) for clip in phones),
            word_onsets_s=tuple(tuple(t / MEL_RATE_HZ for _, t in clip) for clip in words),
        )

    def with_mouth_of(self, reading: SpeechReading, mel: FloatArray) -> SpeechReading:
        """What another reader understood, with opening, width and speech as this one hears them."""
        mouth, speech = self._mouth_and_speech(_SCALE * self._scores(mel))
        both = np.concatenate([mouth[..., :2], reading.mouth[..., 2:]], axis=-1)
        return replace(reading, mouth=both, speech=speech)

    def _mouth_and_speech(self, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mouth shapes [clips, mel_frames, 4] and probability of speech [clips, mel_frames]."""
        posterior = self._posterior(scores)
        silent = slice(_SILENCE * STATES_PER_PHONE, (_SILENCE + 1) * STATES_PER_PHONE)
        mouth = _neighbours(posterior) @ self.mouth_weights + self.mouth_bias
        return mouth, 1 - posterior[..., silent].sum(-1)

    def state(self) -> dict[str, FloatArray]:
        """Everything that `fit` found."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _scores(self, mel: FloatArray) -> FloatArray:
        """Log likelihood of every state up to a term common to all, [clips, mel_frames, states]."""
        z = (with_context(mel) - self.centre) @ self.basis
        return np.asarray(z @ self.means.T - 0.5 * (self.means**2).sum(1), dtype=np.float32)

    def _posterior(self, scores: FloatArray) -> FloatArray:
        """Scaled scores => probabilities of the states, [clips, mel_frames, states]."""
        logits = scores + _SCALE * self.log_prior
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        return np.asarray(odds / odds.sum(-1, keepdims=True), dtype=np.float32)

    def _with_mouth(self, mel: FloatArray, shapes: FloatArray) -> Self:
        """Regress mouth shapes [clips, mel_frames, 4] on the posteriors around them."""
        posterior = self._posterior(_SCALE * self._scores(mel))
        x = _neighbours(posterior).reshape(-1, len(self.mouth_weights))
        y = shapes.reshape(-1, shapes.shape[-1])
        found = linear.ridge(x, y, _MOUTH_RIDGE)
        bias = found.bias - found.centre @ found.weights
        return type(self)(**{**self.state(), "mouth_weights": found.weights, "mouth_bias": bias})


def with_context(mel: FloatArray) -> FloatArray:
    """Normalised mel with its neighbours, [clips, mel_frames, bands * 5]; the ends repeat."""
    if mel.ndim != 3 or mel.shape[-1] != BANDS:
        raise ValueError(f"log-mel has shape {mel.shape}, wanted is [clips, mel_frames, {BANDS}]")
    values = normalise_mel(torch.as_tensor(mel, dtype=torch.float32)).numpy()
    padded = np.pad(values, ((0, 0), (_CONTEXT, _CONTEXT), (0, 0)), mode="edge")
    count = mel.shape[1]
    return np.concatenate([padded[:, k : k + count] for k in range(2 * _CONTEXT + 1)], -1)


def state_labels(timeline: Timeline, mel_frames: int) -> NDArray[np.int64]:
    """State (phone index * 3 + third of the phone) at the middle of every mel frame."""
    times = (np.arange(mel_frames) + 0.5) / MEL_RATE_HZ
    labels = np.full(mel_frames, _SILENCE * STATES_PER_PHONE, dtype=np.int64)
    for name, start, end in timeline.phones:
        inside = (times >= start) & (times < end)
        third = np.floor((times[inside] - start) / (end - start) * STATES_PER_PHONE).astype(np.int64)
        labels[inside] = PHONE_INDEX[name] * STATES_PER_PHONE + np.minimum(third, STATES_PER_PHONE - 1)
    return labels


def at_mel_rate(tracks: FloatArray, frame_rate_hz: float, mel_frames: int) -> FloatArray:
    """Tracks of video frames [clips, frames, n] at the middles of mel frames, linearly interpolated."""
    position = (np.arange(mel_frames) + 0.5) / MEL_RATE_HZ * frame_rate_hz - 0.5
    position = np.clip(position, 0, tracks.shape[1] - 1)
    left = np.minimum(np.floor(position).astype(np.int64), max(0, tracks.shape[1] - 2))
    part = (position - left).astype(np.float32)[None, :, None]
    right = np.minimum(left + 1, tracks.shape[1] - 1)
    return np.asarray(tracks[:, left] * (1 - part) + tracks[:, right] * part, dtype=np.float32)


def _neighbours(posterior: FloatArray) -> FloatArray:
    """Posteriors of the frames of `_MOUTH_CONTEXT`, [clips, mel_frames, 3 * states]; the ends repeat."""
    reach, count = max(_MOUTH_CONTEXT), posterior.shape[1]
    padded = np.pad(posterior, ((0, 0), (reach, reach), (0, 0)), mode="edge")
    return np.concatenate([padded[:, reach + k : reach + k + count] for k in _MOUTH_CONTEXT], -1)


def _without_silence(clips: list[list[tuple[int, int]]], silence: int) -> list[list[tuple[int, int]]]:
    return [[(unit, t) for unit, t in clip if unit != silence] for clip in clips]


_PHONE_LOOP = UnitLoop.build([(k,) for k in range(len(PHONES))], may_repeat=False)
_WORD_LOOP = UnitLoop.build(
    [(_SILENCE,), *(tuple(PHONE_INDEX[name] for name in word.phones) for word in LEXICON)], may_repeat=True
)
