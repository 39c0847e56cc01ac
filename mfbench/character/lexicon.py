"""The closed lexicon: 24 words of 2 to 4 phones, open syllables or a continuant at the end.

No word ends in a plosive (its burst would run into the next closure and vanish), and no word is the
beginning of another (a decoder could not tell them apart before the longer one ends).
"""

from __future__ import annotations

from dataclasses import dataclass

from mfbench.character.phones import PHONE_INDEX, PHONES


@dataclass(frozen=True)
class Word:
    """A word as its phones."""

    phones: tuple[str, ...]

    @property
    def text(self) -> str:
        """The word as it is typed and printed."""
        return "".join(self.phones).lower()

    @property
    def duration_s(self) -> float:
        """Mean duration at rate 1."""
        return sum(PHONES[PHONE_INDEX[p]].duration_s for p in self.phones)


_WORDS = (
    "M AA",
    "B IY",
    "P UW",
    "L OW",
    "S EH",
    "K UW",
    "T OW",
    "N IY",
    "B AA M",
    "M IY L",
    "P EH N",
    "S UW N",
    "F AA S",
    "SH IY M",
    "K OW L",
    "T EH F",
    "N OW SH",
    "L AA F",
    "M OW B IY",
    "P AA T UW",
    "S IY M AA",
    "SH AA P OW",
    "F IY K AA",
    "T UW M EH",
)
LEXICON: tuple[Word, ...] = tuple(Word(tuple(word.split())) for word in _WORDS)
WORD_INDEX: dict[str, int] = {word.text: i for i, word in enumerate(LEXICON)}
