"""Every strange film ends as stated: with numbers, or with a named status and its reason."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from film_world import RATE_HZ, entry_of, real_film, real_take, scored
from scipy.io import wavfile

from mfbench.bench.scoring.piece import FilmResult
from mfbench.bench.scoring.read_film import read_film
from mfbench.data.media import write_mp4
from mfbench.metrics.base import Metric
from mfbench.metrics.observe import Readers
from mfbench.registry import METRICS
from tests.data.media_files import Recipe, write


def with_value(film: FilmResult) -> set[str]:
    return {name for name, piece in film.pieces.items() if piece.status == "ok"}


def needing(need: str) -> set[str]:
    metrics: list[type[Metric]] = [METRICS.get(name) for name in METRICS.names()]
    return {metric.name for metric in metrics if need in metric.needs}


def resampled(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    times = np.arange(round(len(sound) / RATE_HZ * rate_hz)) / rate_hz
    return np.interp(times, np.arange(len(sound)) / RATE_HZ, sound).astype(np.float32)


def test_a_real_film_has_numbers_for_face_and_sound(films: Path, readers: Readers) -> None:
    film = scored(films / "real0.mp4", readers)
    assert (film.status, film.is_character, film.reason) == ("ok", True, "")
    assert film.seconds == pytest.approx(2.56)
    assert {p.status for p in film.pieces.values()} == {"ok", "not_applicable"}
    assert all(p.reason for p in film.pieces.values() if p.status != "ok")
    assert with_value(film) & needing("character") & needing("sound")
    assert set(film.features.points) == {"video", "audio", "joint"}


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"no film " * 99, "unreadable")], ids=["empty", "text"]
)
def test_corrupt(tmp_path: Path, readers: Readers, content: bytes, reason: str) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    film = scored(tmp_path / "x.mp4", readers)
    assert film.status == "failed_generation"
    assert film.reason.startswith(f"{reason}: x.mp4 ")
    assert str(tmp_path) not in film.reason
    assert film.pieces == {}


def test_cut_short(tmp_path: Path, films: Path, readers: Readers) -> None:
    content = (films / "real0.mp4").read_bytes()
    (tmp_path / "x.mp4").write_bytes(content[: len(content) * 6 // 10])
    film = scored(tmp_path / "x.mp4", readers)
    assert film.status == "failed_generation"
    assert film.reason.split(":")[0] in ("truncated", "unreadable")


@pytest.mark.parametrize("frames", [1, 2, 15])
def test_too_short(tmp_path: Path, readers: Readers, frames: int) -> None:
    take = real_take(0, 0.64)
    write(tmp_path / "x.mov", take.frames[:frames], take.sound[: frames * 640])
    film = scored(tmp_path / "x.mov", readers)
    assert (film.status, film.reason.split(":")[0]) == ("failed_generation", "too_short")


def test_the_shortest_film_has_numbers(tmp_path: Path, readers: Readers) -> None:
    film = scored(real_film(tmp_path / "x.mp4", 0, 0.64), readers)
    assert film.status == "ok"
    assert with_value(film)


def test_no_sound(tmp_path: Path, readers: Readers) -> None:
    write(tmp_path / "x.mp4", real_take(0).frames, None)
    film = scored(tmp_path / "x.mp4", readers)
    assert (film.status, film.is_character) == ("ok", True)
    assert "no sound" in film.notes
    assert not with_value(film) & needing("sound")
    pictures = {n for n in needing("character") - needing("sound") if n in film.pieces}
    assert with_value(film) & pictures
    assert set(film.features.points) == {"video"}
    assert all("no stream of sound" in film.pieces[n].reason for n in needing("sound") & set(film.pieces))


def test_silence(tmp_path: Path, readers: Readers) -> None:
    take = real_take(0)
    write(tmp_path / "x.mp4", take.frames, np.zeros_like(take.sound))
    film = scored(tmp_path / "x.mp4", readers)
    assert film.status == "ok"
    assert "no sound" not in film.notes
    assert {p.status for p in film.pieces.values()} == {"ok", "not_applicable"}
    assert film.pieces["sync_corr"].status == "not_applicable"


def test_noise_is_no_character(tmp_path: Path, readers: Readers) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (40, 64, 64, 3), dtype=np.uint8)
    write(tmp_path / "x.mp4", frames, rng.normal(0, 0.1, 25600).astype(np.float32))
    film = scored(tmp_path / "x.mp4", readers)
    assert (film.status, film.is_character) == ("ok", False)
    assert not with_value(film) & needing("character")
    assert all("readers know" in film.pieces[n].reason for n in needing("character") & set(film.pieces))
    assert with_value(film)
    assert film.features.points == {}


@pytest.mark.parametrize(
    ("level", "spread"),
    [(0, 0), (8, 0), (16, 0), (48, 0), (60, 0), (128, 0), (255, 0), (0, 3), (128, 30)],
    ids=["black", "dark8", "dark16", "grey48", "grey60", "grey128", "white", "hiss on black", "hiss on grey"],
)
def test_a_film_without_a_picture_is_no_character(
    tmp_path: Path, readers: Readers, level: int, spread: int
) -> None:
    take = real_take(0, 5.12)
    noise = np.random.default_rng(0).standard_normal(take.frames.shape, dtype=np.float32)
    frames = np.clip(level + spread * noise, 0, 255).astype(np.uint8)
    write_mp4(tmp_path / "x.mp4", frames, take.sound, fps=25.0, sample_rate_hz=RATE_HZ)
    film = scored(tmp_path / "x.mp4", readers)
    assert (film.status, film.is_character) == ("ok", False)
    assert not with_value(film) & needing("character")
    assert "readers know" in film.pieces["render_valid"].reason
    assert film.features.points == {}


@pytest.mark.parametrize("part", [0.5, 0.8])
def test_a_dimmed_film_keeps_its_face(tmp_path: Path, readers: Readers, part: float) -> None:
    take = real_take(0, 2.56)
    dim = (part * take.frames).astype(np.uint8)
    write_mp4(tmp_path / "x.mp4", dim, take.sound, fps=25.0, sample_rate_hz=RATE_HZ)
    film = scored(tmp_path / "x.mp4", readers)
    assert film.is_character
    assert film.pieces["render_valid"].value == 1.0
    assert film.pieces["mouth_detect_rate"].value == 1.0


def test_rotated_is_turned_upright(tmp_path: Path, readers: Readers) -> None:
    take = real_take(0)
    turned = np.ascontiguousarray(np.rot90(take.frames, -1, (1, 2)))
    write(tmp_path / "x.mp4", turned, take.sound, Recipe(rotation=90))
    film = scored(tmp_path / "x.mp4", readers)
    assert film.is_character
    assert "rotated by 90 degrees" in film.notes


def test_variable_rate_keeps_time(tmp_path: Path, films: Path, readers: Readers) -> None:
    take = real_take(0)
    kept = np.array([i for i in range(64) if i % 8 != 3])
    recipe = Recipe(times=tuple(int(i) for i in kept))
    write(tmp_path / "x.mp4", take.frames[kept], take.sound, recipe)
    film, whole = scored(tmp_path / "x.mp4", readers), scored(films / "real0.mp4", readers)
    assert film.is_character
    assert "variable frame rate" in film.notes
    assert film.seconds == pytest.approx(whole.seconds, abs=0.05)


def test_odd_size_is_cut_to_a_square(tmp_path: Path, readers: Readers) -> None:
    take = real_take(0, size_px=66)
    wide = np.pad(take.frames, ((0, 0), (0, 0), (16, 16), (0, 0)), mode="edge")
    write(tmp_path / "x.mkv", wide, take.sound)
    film = scored(tmp_path / "x.mkv", readers)
    assert film.is_character
    assert "centre square of 98 x 66" in film.notes


@pytest.mark.parametrize(
    ("suffix", "rate_hz", "layout"),
    [(".mov", 8000, "mono"), (".mp4", 48000, "stereo"), (".mkv", 16000, "mono"), (".avi", 44100, "stereo")],
)
def test_containers_and_sample_rates(
    tmp_path: Path, films: Path, readers: Readers, suffix: str, rate_hz: int, layout: str
) -> None:
    take = real_take(0)
    path = tmp_path / f"x{suffix}"
    write(path, take.frames, resampled(take.sound, rate_hz), Recipe(sound_hz=rate_hz, layout=layout))
    film, whole = scored(path, readers), scored(films / "real0.mp4", readers)
    assert (film.status, film.is_character) == ("ok", True)
    assert (film.facts["source_rate_hz"], film.facts["channels"]) == (rate_hz, 1 if layout == "mono" else 2)
    assert film.seconds == pytest.approx(whole.seconds, abs=0.08)
    ours, theirs = film.pieces["loudness_db"].value, whole.pieces["loudness_db"].value
    assert ours == pytest.approx(theirs, abs=1.5)


def test_another_rate_of_frames(tmp_path: Path, readers: Readers) -> None:
    take = real_take(0)
    write(tmp_path / "x.mp4", take.frames[::2], take.sound, Recipe(fps=Fraction(25, 2)))
    film = scored(tmp_path / "x.mp4", readers)
    assert film.is_character
    assert film.facts["source_fps"] == pytest.approx(12.5)


def test_own_sound_is_used(tmp_path: Path, films: Path, readers: Readers) -> None:
    video = real_film(tmp_path / "x.mp4", 0)
    other = real_take(1).sound
    wavfile.write(tmp_path / "own.wav", RATE_HZ, (other * 32767).astype(np.int16))
    plain = scored(video, readers)
    film = scored(video, readers, audio=tmp_path / "own.wav")
    swapped = scored(films / "real1.mp4", readers)
    assert (film.status, film.facts["audio_codec"]) == ("ok", "pcm_s16le")
    assert "sound from own.wav" in film.notes
    level = film.pieces["loudness_db"].value
    assert level == pytest.approx(swapped.pieces["loudness_db"].value, abs=1.0)
    assert np.array_equal(film.features.points["video"], plain.features.points["video"])
    assert not np.allclose(film.features.points["audio"], plain.features.points["audio"], atol=0.1)
    assert film.pieces["sync_corr"].value < plain.pieces["sync_corr"].value  # type: ignore[operator]


def test_own_sound_of_a_silent_film_and_a_shorter_one(tmp_path: Path, readers: Readers) -> None:
    take = real_take(0)
    write(tmp_path / "x.mp4", take.frames, None)
    wavfile.write(tmp_path / "own.wav", RATE_HZ, (take.sound[:24000] * 32767).astype(np.int16))
    film = scored(tmp_path / "x.mp4", readers, audio=tmp_path / "own.wav")
    assert film.seconds == pytest.approx(1.48)
    assert with_value(film) & needing("sound")


@pytest.mark.parametrize("content", [b"", b"RIFF" + bytes(99), b"words " * 50], ids=["empty", "riff", "text"])
def test_own_sound_that_is_none_fails_the_film(tmp_path: Path, readers: Readers, content: bytes) -> None:
    video = real_film(tmp_path / "x.mp4", 0, 1.28)
    (tmp_path / "own.wav").write_bytes(content)
    film = scored(video, readers, audio=tmp_path / "own.wav")
    assert film.status == "failed_generation"
    assert "own.wav" in film.reason
    assert str(tmp_path) not in film.reason


def test_own_sound_cut_short_fails_the_film(tmp_path: Path, readers: Readers) -> None:
    video = real_film(tmp_path / "x.mp4", 0)
    wavfile.write(tmp_path / "own.wav", RATE_HZ, np.ones(40960, np.int16))
    content = (tmp_path / "own.wav").read_bytes()
    (tmp_path / "own.wav").write_bytes(content[: len(content) // 2])
    film = scored(video, readers, audio=tmp_path / "own.wav")
    assert film.status == "ok"  # libav takes a wav's length from its size: it is a shorter sound
    assert film.seconds == pytest.approx(1.28, abs=0.05)


def test_a_part_of_a_film_is_refused(films: Path, readers: Readers) -> None:
    entry = replace(entry_of(films / "real0.mp4"), start_s=0.5)
    film = read_film(entry, readers, None, films)
    assert (film.status, film.pieces) == ("failed_generation", {})
    assert "cut the file" in film.reason
