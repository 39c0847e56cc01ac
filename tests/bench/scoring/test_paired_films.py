"""Films with the true film that a manifest names, and with the voice that was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from film_world import FPS, RATE_HZ, entry_of, failed, real_take, result, scored

from mfbench.bench.scoring.paths import without_folders
from mfbench.bench.scoring.piece import FilmResult, Piece
from mfbench.bench.scoring.total import Meaning, total_of_clips
from mfbench.character.performance import perform
from mfbench.character.voices import VOICES
from mfbench.data.media import write_mp4
from mfbench.metrics.observe import Readers

PAIRED = ("psnr", "ssim", "msssim", "mouth_mae")


def film(folder: Path, name: str, frames: np.ndarray, index: int = 0) -> Path:
    sound = real_take(index).sound[: round(len(frames) / FPS * RATE_HZ)]
    write_mp4(folder / name, frames, sound, fps=FPS, sample_rate_hz=RATE_HZ)
    return folder / name


def values(found: FilmResult) -> dict[str, float]:
    assert found.status == "ok", found.reason
    assert {found.pieces[name].status for name in PAIRED} == {"ok"}
    return {name: found.pieces[name].value or 0.0 for name in PAIRED}


def test_the_nearer_the_target_the_better(films: Path, tmp_path: Path, readers: Readers) -> None:
    here, take = films / "real0.mp4", real_take(0)
    noise = np.random.default_rng(0).normal(0, 12, take.frames.shape)
    noisy = film(tmp_path, "noisy.mp4", (take.frames + noise).clip(0, 255).astype(np.uint8))
    equal = values(scored(here, readers, target=here))
    assert equal == {
        "psnr": 100.0,
        "ssim": pytest.approx(1.0),
        "msssim": pytest.approx(1.0),
        "mouth_mae": pytest.approx(0.0, abs=1e-5),
    }
    near = values(scored(noisy, readers, target=here))
    far = values(scored(films / "real1.mp4", readers, target=here))
    assert 100 > near["psnr"] > far["psnr"] > 0
    assert 1 > near["ssim"] > far["ssim"]
    assert 1 > near["msssim"] > far["msssim"]
    assert 0 < near["mouth_mae"] < far["mouth_mae"]


def test_a_comparison_changes_no_other_number(films: Path, readers: Readers) -> None:
    here = films / "real0.mp4"
    alone, beside = scored(here, readers), scored(here, readers, target=films / "real1.mp4")
    others = [name for name in alone.pieces if name not in PAIRED]
    assert [alone.pieces[name] for name in others] == [beside.pieces[name] for name in others]
    assert "compared with real1.mp4" in beside.notes
    for name in PAIRED:
        assert alone.pieces[name].status == "not_applicable"
        assert "no target in a manifest" in alone.pieces[name].reason


def test_a_film_of_another_size_is_compared_on_the_common_grid(tmp_path: Path, readers: Readers) -> None:
    large = film(tmp_path, "large.mp4", real_take(0, size_px=128).frames)
    small = film(tmp_path, "small.mp4", real_take(0).frames)
    assert values(scored(small, readers, target=large))["psnr"] > 25


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            lambda folder: film(folder, "short.mp4", real_take(0).frames[:50]),
            r"unequal: .* has 50 frames .* has 64",
        ),
        (
            lambda folder: (folder / "t.mp4", (folder / "t.mp4").write_bytes(b"x" * 99))[0],
            "unreadable: t.mp4",
        ),
        (lambda folder: folder / "gone.mp4", "gone.mp4"),
    ],
)
def test_a_target_that_cannot_be_used_costs_the_metrics_of_pairs_only(
    broken: Callable[[Path], Path], reason: str, films: Path, tmp_path: Path, readers: Readers
) -> None:
    found = scored(films / "real0.mp4", readers, target=broken(tmp_path))
    assert found.status == "ok"
    for name in PAIRED:
        piece = found.pieces[name]
        assert (piece.status, piece.value) == ("failed_metric", None)
        assert piece.reason.startswith("target: ")
        assert str(tmp_path) not in piece.reason
        assert re.search(reason, piece.reason), piece.reason
    assert found.pieces["sync_corr"].status == "ok"


def test_the_voice_that_was_asked_for(films: Path, readers: Readers) -> None:
    here, voice = films / "real0.mp4", perform(0, "test", 0, 2.56, FPS).voice
    far = int(np.argmax([abs(np.log2(v.f0_hz / VOICES[voice].f0_hz)) for v in VOICES]))
    right, wrong = (scored(here, readers, voice=str(asked)).pieces for asked in (voice, far))
    assert (right["voice_sim"].value or 0) > 0.9 > 0.3 > (wrong["voice_sim"].value or 0)
    semitones = abs(12 * np.log2(VOICES[far].f0_hz / VOICES[voice].f0_hz))
    assert (right["f0_rmse_st"].value or 99) < 1.0
    assert wrong["f0_rmse_st"].value == pytest.approx(semitones, abs=1.0)
    for unknown in (None, "anna", "99", "-1"):
        pieces = scored(here, readers, voice=unknown).pieces
        assert {pieces[name].reason for name in ("voice_sim", "f0_rmse_st")} == {
            "no known voice in a manifest"
        }


def test_roots_of_means_over_films_with_failures() -> None:
    """Errors of 3 and 4 semitones and a film that failed, which counts as 26."""
    meaning = Meaning("m", "st", higher_is_better=False, worst=26.0, least_clips=2, protocol="p")
    films = [
        replace(result(name), pieces={"m": Piece("ok", error**2, 1.0, root=True)})
        for name, error in (("a", 3.0), ("b", 4.0))
    ]
    assert [film.pieces["m"].value for film in films] == [3.0, 4.0]
    found = total_of_clips(meaning, [*films, failed("c")], np.arange(3))
    assert found.value == pytest.approx(np.sqrt((9 + 16) / 2))
    assert found.strict == pytest.approx(np.sqrt((9 + 16 + 26**2) / 3))
    assert (found.n, found.enough) == (2, True)


def test_messages_name_no_folder_of_a_target(tmp_path: Path) -> None:
    entry = entry_of(tmp_path / "a.mp4", target=tmp_path / "elsewhere" / "t.mp4")
    text = without_folders(f"{entry.target} cannot be read", entry, tmp_path)
    assert text == "elsewhere/t.mp4 cannot be read"
