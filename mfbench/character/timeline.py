"""What is said and when: words and phones with continuous times that fill a clip exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfbench.character.lexicon import LEXICON, Word
from mfbench.character.phones import PHONE_INDEX, PHONES
from mfbench.character.streams import shuffled

LONGEST_STRETCH = 1.15  # of a phone's mean duration
PAUSE_CHANCE = 0.3
TAIL_S = 0.06


@dataclass(frozen=True)
class Timeline:
    """Phones (name, start_s, end_s) that tile [0, duration_s], and words (lexicon index, start_s, end_s)."""

    phones: tuple[tuple[str, float, float], ...]
    words: tuple[tuple[int, float, float], ...]
    duration_s: float

    @property
    def spoken(self) -> tuple[str, ...]:
        """Phones without silence."""
        return tuple(name for name, _, _ in self.phones if name != "SIL")

    @property
    def word_ids(self) -> tuple[int, ...]:
        """Lexicon indices in spoken order."""
        return tuple(index for index, _, _ in self.words)

    def to_json(self) -> dict[str, object]:
        """Plain values; `from_json` reads them back."""
        return {"phones": self.phones, "words": self.words, "duration_s": self.duration_s}

    @classmethod
    def from_json(cls, values: dict[str, list[list[object]]]) -> Timeline:
        """Rebuild a timeline written by `to_json`."""
        phones = tuple((str(n), float(a), float(b)) for n, a, b in values["phones"])  # type: ignore[arg-type]
        words = tuple((int(i), float(a), float(b)) for i, a, b in values["words"])  # type: ignore[call-overload,arg-type]
        return cls(phones, words, float(values["duration_s"]))  # type: ignore[arg-type]


class _Writer:
    """Appends phones with random durations from a running clock."""

    def __init__(self, rng: np.random.Generator, rate: float) -> None:
        self.rng, self.rate, self.now_s = rng, rate, 0.0
        self.phones: list[tuple[str, float, float]] = []

    def add(self, name: str, factor: float = 1.0) -> None:
        mean = PHONES[PHONE_INDEX[name]].duration_s * factor / self.rate
        end = self.now_s + mean * (0.85 + 0.30 * float(self.rng.random()))
        self.phones.append((name, self.now_s, end))
        self.now_s = end


def script(rng: np.random.Generator, duration_s: float, rate: float) -> Timeline:
    """Random words that fill a clip: a short silence, words with short pauses, no silent tail.

    Words are drawn without a favourite; near the end shorter words are tried before the clip is closed, so
    that every window of 1 s holds speech.
    """
    writer = _Writer(rng, rate)
    writer.add("SIL", 0.4 + 0.5 * float(rng.random()))
    words: list[tuple[int, float, float]] = []
    while (index := _fitting(rng, duration_s - TAIL_S - writer.now_s, rate)) is not None:
        start = writer.now_s
        for phone in LEXICON[index].phones:
            writer.add(phone)
        words.append((index, start, writer.now_s))
        if float(rng.random()) < PAUSE_CHANCE and duration_s - writer.now_s > 0.8:
            writer.add("SIL", 0.4 + 0.6 * float(rng.random()))
    return _closed(writer.phones, words, duration_s)


def spoken_script(words: tuple[int, ...], rng: np.random.Generator, rate: float) -> Timeline:
    """A timeline of the given words; its duration follows from them."""
    writer = _Writer(rng, rate)
    writer.add("SIL", 0.5)
    placed = []
    for index in words:
        start = writer.now_s
        for phone in LEXICON[index].phones:
            writer.add(phone)
        placed.append((index, start, writer.now_s))
    return _closed(writer.phones, placed, writer.now_s + TAIL_S)


def _fitting(rng: np.random.Generator, room_s: float, rate: float) -> int | None:
    def longest(word: Word) -> float:
        return word.duration_s * LONGEST_STRETCH / rate

    fitting = [i for i in shuffled(rng, len(LEXICON)) if longest(LEXICON[i]) <= room_s]
    return fitting[0] if fitting else None


def _closed(
    phones: list[tuple[str, float, float]], words: list[tuple[int, float, float]], duration_s: float
) -> Timeline:
    """End with silence up to the clip's end."""
    if phones[-1][0] == "SIL":
        phones = [*phones[:-1], ("SIL", phones[-1][1], duration_s)]
    else:
        phones = [*phones, ("SIL", phones[-1][2], duration_s)]
    return Timeline(tuple(phones), tuple(words), duration_s)
