"""Comparing transcripts: the named normaliser, and errors as counts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from mfbench.metrics.full.packages import require

_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}"


@dataclass(frozen=True)
class Errors:
    """Substitutions, deletions and insertions of one transcript, and how long it is."""

    word_errors: int
    words: int
    character_errors: int
    characters: int


def basic_v1(text: str) -> str:
    """Normaliser basic-v1: lower case, no punctuation, single spaces.

    Apostrophes vanish ("don't" is one word); other punctuation and symbols become spaces. Numbers are left as
    they are: "50" and "fifty" differ.
    """
    kept = (_spoken(character) for character in text.lower() if character not in _APOSTROPHES)
    return " ".join("".join(kept).split())


def count_errors(wanted: str, heard: str) -> Errors:
    """Word and character errors of normalised texts; spaces count as characters.

    Raises:
        ValueError: if no words are wanted.
        PackageMissingError: if jiwer is not installed.
    """
    if not wanted:
        raise ValueError("an empty transcript has no error rate; wanted at least one word")
    jiwer = require("jiwer", "whisper")
    words, characters = jiwer.process_words(wanted, heard), jiwer.process_characters(wanted, heard)
    return Errors(
        word_errors=words.substitutions + words.deletions + words.insertions,
        words=words.substitutions + words.deletions + words.hits,
        character_errors=characters.substitutions + characters.deletions + characters.insertions,
        characters=characters.substitutions + characters.deletions + characters.hits,
    )


def _spoken(character: str) -> str:
    return " " if unicodedata.category(character)[0] in "PS" else character
