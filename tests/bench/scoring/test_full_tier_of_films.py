"""What adapters of the full tier are given, and what becomes of what they say."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from film_world import FPS, entry_of, real_film, real_take
from PIL import Image

from mfbench.bench.scoring import full_media, full_read
from mfbench.bench.scoring.full_media import Source, face_rows, grid_of, prepare
from mfbench.bench.scoring.full_models import FullTier
from mfbench.bench.scoring.full_read import FilmTask, SetTask
from mfbench.data.manifest import FaceBox
from mfbench.data.streaming import Grid, open_media
from mfbench.metrics.full.base import Adapter, ClipMedia, ClipReading, MetricInfo, Needs, Ratio
from mfbench.metrics.full.weights import WeightsError
from tests.data.media_files import Recipe, write

PICTURES = Needs(True, 5.0, None, "whole", None, 0.0, ("faces", "reference_image", "caption"))
SOUND = Needs(False, None, None, "whole", 16_000, 0.5, ("transcript",))
SQUARES = Needs(True, None, 48, "centre-square", None, 0.0)
SOURCE = Source(25.0, 64, 64, 64, 1.0, 0, variable_rate=False)


class Fake(Adapter):
    """Says what it is told to."""

    name = "fake"
    protocol = "none"
    metrics = (
        MetricInfo("one", "", True, (0.0, 1.0), 2),
        MetricInfo("errors", "", False, (0.0, None), 2),
        MetricInfo("apart", "", False, (0.0, None), 2, set_metric=True),
    )
    weight_files = ()

    def __init__(self, needs: Needs, reading: ClipReading | Exception) -> None:
        self.needs, self.reading = needs, reading
        self.given: list[ClipMedia] = []

    @classmethod
    def load(cls, weights, *, options=None, device="cpu"):
        raise NotImplementedError

    def read(self, media: ClipMedia) -> ClipReading:
        self.given.append(media)
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def value(self, metric, candidate, reference) -> float:
        return float(np.mean(candidate[0]) - np.mean(reference[0]))


def facts_of(path: Path) -> dict[str, object]:
    reader = open_media(path, Grid(FPS, 32, 16_000, 0.4))
    list(reader)
    return asdict(reader.facts)


def task_of(path: Path, **more: object) -> FilmTask:
    return FilmTask("fake", entry_of(path, **more), path.parent, facts_of(path))


def test_pictures_come_as_large_as_they_are(tmp_path: Path) -> None:
    take = real_take(0, 2.0)
    wide = np.pad(take.frames, ((0, 0), (0, 0), (16, 16), (0, 0)))
    path = write(tmp_path / "x.mp4", wide, take.sound)
    Image.new("RGBA", (7, 5), (10, 20, 30, 255)).save(tmp_path / "who.png")
    boxes = (FaceBox(0.25, 0.0, 0.75, 0.5, "share"),)
    entry = entry_of(path, face_boxes=boxes, reference_image=tmp_path / "who.png", caption="a man")
    found = prepare(entry, path, Source.of(facts_of(path)), PICTURES)
    assert found.media.frames.shape == (10, 64, 96, 3)
    assert found.media.waveform is None
    assert found.media.faces is not None
    assert found.media.faces.tolist() == [[24.0, 0.0, 72.0, 32.0]] * 10
    assert found.media.reference_image is not None
    assert found.media.reference_image[0, 0].tolist() == [10, 20, 30]
    assert (found.media.caption, found.notes) == ("a man", ())


def test_sound_comes_without_pictures_and_squares_at_the_rate_of_the_source(tmp_path: Path) -> None:
    take = real_take(0, 1.28)
    path = write(tmp_path / "x.mp4", take.frames, take.sound, Recipe())
    source = Source.of(facts_of(path))
    heard = prepare(entry_of(path, transcript="one two"), path, source, SOUND).media
    assert heard.frames.shape == (0, 1, 1, 3)
    assert heard.waveform is not None
    assert len(heard.waveform) == pytest.approx(1.28 * 16_000, abs=800)
    assert heard.transcript == "one two"
    assert prepare(entry_of(path), path, source, SQUARES).media.frames.shape[1:] == (48, 48, 3)


@pytest.mark.parametrize("fps", [12.5, 23.976023976, 25.0, 29.97002997, 30.003, 48.1, 59.94])
def test_blocks_stay_short_at_any_rate(fps: float) -> None:
    grid = grid_of(SQUARES, replace(SOURCE, fps=fps))
    assert 1.0 <= grid.block_s < 1.2
    assert float(grid.rate) == pytest.approx(fps, rel=1e-4)


def test_a_long_film_is_cut_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = real_film(tmp_path / "x.mp4", 0)
    source = Source.of(facts_of(path))
    monkeypatch.setattr(full_media, "LONGEST_S", 1.5)
    found = prepare(entry_of(path), path, source, replace(SQUARES, sample_rate_hz=16_000, fps=25.0))
    assert (len(found.media.frames), found.seconds) == (37, pytest.approx(1.48))
    assert found.notes == ("only the first 1.5 s are read",)
    monkeypatch.setattr(full_media, "LONGEST_S", 60.0)
    monkeypatch.setattr(full_media, "MOST_BYTES", 48 * 48 * 3 * 25)
    assert prepare(entry_of(path), path, source, SQUARES).notes == ("only the first 1 s are read",)


def test_boxes_per_frame_follow_time() -> None:
    boxes = tuple(FaceBox(i, 0, i + 8, 8, "px") for i in range(50))
    source = replace(SOURCE, frames=50)
    rows = face_rows(boxes, (10, 128, 128, 3), source, 5.0, PICTURES)
    assert rows[:, 0].tolist() == [2.0 * i for i in (2, 7, 12, 17, 22, 27, 32, 37, 42, 47)]


@pytest.mark.parametrize(
    ("source", "count", "needs", "text"),
    [
        (replace(SOURCE, rotation_deg=90), 1, PICTURES, "rotated"),
        (SOURCE, 1, SQUARES, "rotated or cut"),
        (SOURCE, 3, PICTURES, "3 face boxes for 64 frames"),
        (replace(SOURCE, variable_rate=True), 64, PICTURES, "steady rate"),
    ],
)
def test_boxes_that_do_not_fit(source: Source, count: int, needs: Needs, text: str) -> None:
    boxes = (FaceBox(0, 0, 1, 1, "share"),) * count
    with pytest.raises(ValueError, match=text):
        face_rows(boxes, (10, 64, 64, 3), source, 5.0, needs)


def test_readings_become_pieces(tmp_path: Path) -> None:
    task = task_of(real_film(tmp_path / "x.mp4", 0, 1.28))
    rows = np.ones((2, 3), np.float32)
    reading = ClipReading(
        {"one": 0.5, "errors": 0.25}, {"apart": rows}, {"errors": Ratio(1, 4)}, notes=("hm",)
    )
    found = full_read.answer({"fake": Fake(SOUND, reading)}, task)
    assert found.pieces["one"].value == 0.5
    assert (found.pieces["errors"].numerator, found.pieces["errors"].denominator) == (1, 4)
    assert found.features["apart"] is rows
    assert found.notes == ("fake: hm",)


@pytest.mark.parametrize(
    ("needs", "reading", "status", "text"),
    [
        (SOUND, RuntimeError("broken"), "failed_metric", "RuntimeError: broken"),
        (replace(SOUND, min_duration_s=4.0), ClipReading(), "not_applicable", "wanted are at least 4 s"),
        (SOUND, ClipReading({"one": float("nan")}), "failed_metric", "no number: nan"),
        (SOUND, ClipReading(not_applicable={"one": "no words"}), "not_applicable", "no words"),
        (SOUND, ClipReading(), "failed_metric", "said nothing"),
    ],
)
def test_what_has_no_number_says_why(
    tmp_path: Path, needs: Needs, reading: ClipReading | Exception, status: str, text: str
) -> None:
    task = task_of(real_film(tmp_path / "x.mp4", 0, 1.28))
    piece = full_read.answer({"fake": Fake(needs, reading)}, task).pieces["one"]
    assert piece.status == status
    assert text in piece.reason


def test_a_film_without_sound_is_not_heard(tmp_path: Path) -> None:
    task = task_of(write(tmp_path / "x.mp4", real_take(0, 1.28).frames, None))
    fake = Fake(SOUND, ClipReading({"one": 1.0}))
    assert full_read.answer({"fake": fake}, task).pieces["one"].reason == "no stream of sound"
    assert fake.given == []


def test_side_files_that_cannot_be_read_fail_the_metric_without_their_folder(tmp_path: Path) -> None:
    (tmp_path / "who.png").write_bytes(b"no picture")
    task = task_of(real_film(tmp_path / "x.mp4", 0, 1.28), reference_image=tmp_path / "who.png")
    piece = full_read.answer({"fake": Fake(PICTURES, ClipReading())}, task).pieces["one"]
    assert piece.status == "failed_metric"
    assert "who.png" in piece.reason
    assert str(tmp_path) not in piece.reason


def test_sets_have_a_value_or_a_failure() -> None:
    adapters = {"fake": Fake(SOUND, ClipReading())}
    one, two = np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)
    assert full_read.answer(adapters, SetTask("fake", "apart", [one], [two])).pieces["apart"].value == 1.0
    broken = full_read.answer(adapters, SetTask("fake", "apart", [one * np.nan], [two])).pieces["apart"]
    assert broken.status == "failed_metric"


def test_a_lost_task_fails_all_its_metrics(tmp_path: Path) -> None:
    found = full_read.lost(
        replace(task_of(real_film(tmp_path / "x.mp4", 0, 1.28)), adapter="vggish"), "it died"
    )
    assert found.missing["fad"].reason == "vggish: it died"
    assert full_read.lost(SetTask("i3d", "fvd", (), ()), "x").pieces["fvd"].status == "failed_metric"


def test_weights_are_checked_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "weights.yaml").write_text(f"vggish: {{path: no.pth, sha256: '{'0' * 64}'}}\n")
    with pytest.raises(WeightsError, match=r"there is no .*no\.pth"):
        FullTier.of(tmp_path / "weights.yaml")
    (tmp_path / "weights.yaml").write_text("{}\n")
    with pytest.raises(WeightsError, match="names no weights"):
        FullTier.of(tmp_path / "weights.yaml")
