from __future__ import annotations

from itertools import permutations

from mfbench.character.lexicon import LEXICON, WORD_INDEX
from mfbench.character.phones import BILABIALS, PHONE_INDEX, PHONES, VOWELS


def test_no_word_begins_another() -> None:
    for one, other in permutations(LEXICON, 2):
        assert other.phones[: len(one.phones)] != one.phones


def test_a_run_of_phones_is_one_sequence_of_words() -> None:
    """Sardinas and Patterson 1953: no dangling suffix of the code is itself a word."""
    code = {word.phones for word in LEXICON}
    dangling = {b[len(a) :] for a, b in permutations(code, 2) if b[: len(a)] == a}
    seen: set[tuple[str, ...]] = set()
    while dangling - seen:
        seen |= dangling
        longer = {word[len(s) :] for s in dangling for word in code if word[: len(s)] == s}
        shorter = {s[len(word) :] for s in dangling for word in code if s[: len(word)] == word}
        dangling = longer | shorter
    assert not seen & code


def test_no_word_ends_in_a_plosive_or_holds_silence() -> None:
    for word in LEXICON:
        assert PHONES[PHONE_INDEX[word.phones[-1]]].kind != "plosive"
        assert "SIL" not in word.phones


def test_words_are_two_to_four_phones_and_uniquely_spelt() -> None:
    assert len(LEXICON) == len(WORD_INDEX) == 24
    assert {len(word.phones) for word in LEXICON} == {2, 3, 4}


def test_every_phone_is_spoken() -> None:
    assert {p for word in LEXICON for p in word.phones} == {p.name for p in PHONES} - {"SIL"}


def test_every_word_opens_the_mouth() -> None:
    assert all(set(word.phones) & set(VOWELS) for word in LEXICON)


def test_silence_comes_first_and_bilabials_are_closed() -> None:
    assert PHONES[0].name == "SIL"
    assert all(PHONES[PHONE_INDEX[p]].mouth.open == 0 for p in BILABIALS)
