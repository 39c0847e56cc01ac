from __future__ import annotations

import jiwer
import numpy as np
import pytest
from full_world import sound, whisper_folder

from mfbench.metrics.full.base import ClipMedia, Ratio, corpus_ratio
from mfbench.metrics.full.transcripts import basic_v1, count_errors
from mfbench.metrics.full.weights import WeightsError
from mfbench.metrics.full.whisper import Whisper

NO_PICTURE = np.zeros((0, 1, 1, 3), np.uint8)
GOLDEN_WHISPER = "two two eight two two two seven five two five"


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    return Whisper.load({"whisper": whisper_folder(tmp_path_factory.mktemp("whisper"))})


def heard_by(adapter: Whisper, waveform: np.ndarray) -> str:
    reading = adapter.read(ClipMedia(NO_PICTURE, waveform, transcript="one"))
    return reading.notes[0].removeprefix("heard: ")


def test_whisper_numbers_and_jiwer(whisper):
    waveform, transcript = sound(1.5), "Two, two; EIGHT!"
    reading = whisper.read(ClipMedia(NO_PICTURE, waveform, transcript=transcript))
    heard = reading.notes[0].removeprefix("heard: ")
    assert heard == GOLDEN_WHISPER
    assert reading.values["wer"] == pytest.approx(jiwer.wer("two two eight", heard))
    assert reading.values["cer"] == pytest.approx(jiwer.cer("two two eight", heard))
    assert reading.values["wer_capped"] == 1.0
    assert reading.values["empty_rate"] == 0.0
    assert heard_by(whisper, waveform) == heard  # greedy: again the same
    assert heard_by(whisper, sound(1.5, seed=3)) != heard


def test_error_rates_of_a_corpus_are_sums_over_sums():
    texts = [("one two three four", "one two"), ("five", "five six seven eight"), ("one two", "one two")]
    errors = [count_errors(*pair) for pair in texts]
    found = corpus_ratio([Ratio(e.word_errors, e.words) for e in errors])
    assert found == pytest.approx(jiwer.wer([t[0] for t in texts], [t[1] for t in texts]))
    assert found == pytest.approx(5 / 7)
    characters = corpus_ratio([Ratio(e.character_errors, e.characters) for e in errors])
    assert characters == pytest.approx(jiwer.cer([t[0] for t in texts], [t[1] for t in texts]))
    with pytest.raises(ValueError, match="denominator of 0"):
        corpus_ratio([])
    with pytest.raises(ValueError, match="empty transcript"):
        count_errors("", "one")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t, STOP!", "dont stop"),
        ("  well-known\n\tcase… ", "well known case"),
        ("50 % of $3", "50 of 3"),
        ("¿Qué? «Ça»", "qué ça"),
        ("…!?", ""),
    ],
)
def test_the_normaliser(text, wanted):
    assert basic_v1(text) == wanted
    assert basic_v1(wanted) == wanted


def test_nothing_heard_is_counted(whisper, monkeypatch):
    monkeypatch.setattr(Whisper, "transcribe", lambda self, waveform: " ... ")
    reading = whisper.read(ClipMedia(NO_PICTURE, sound(0.5), transcript="one two"))
    assert reading.values == {"wer": 1.0, "cer": 1.0, "wer_capped": 1.0, "empty_rate": 1.0}
    without = whisper.read(ClipMedia(NO_PICTURE, sound(0.5)))
    assert dict(without.values) == {"empty_rate": 1.0}
    assert without.not_applicable["wer"] == "the clip has no transcript"


def test_whisper_needs_sound_that_it_can_hear_at_once(whisper):
    silent = whisper.read(ClipMedia(NO_PICTURE, transcript="one"))
    assert set(silent.not_applicable) == set(Whisper.names())
    long = whisper.read(ClipMedia(NO_PICTURE, np.zeros(31 * 16_000, np.float32), transcript="one"))
    assert "31.0 s are more than the 30 s" in long.not_applicable["wer"]


def test_a_whisper_folder_must_be_whole(tmp_path):
    folder = whisper_folder(tmp_path)
    (folder / "generation_config.json").unlink()
    with pytest.raises(WeightsError, match=r"generation_config\.json"):
        Whisper.load({"whisper": folder})
    whisper_folder(tmp_path)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match="no usable WhisperFeatureExtractor"):
        Whisper.load({"whisper": folder})
