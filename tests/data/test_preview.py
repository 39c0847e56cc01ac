from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mfbench.data.media import read_mp4
from mfbench.data.preview import preview
from mfbench.errors import UsageError
from mfbench.files import LIST


def test_a_preview_is_clips_and_two_pictures_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "preview"
    folder.mkdir(parents=True)
    for name, content in (
        (LIST, json.dumps({"preview": ["clip99.mp4"]})),
        ("clip99.mp4", "old"),
        ("notes.txt", "mine"),
    ):
        (folder / name).write_text(content)
    written = preview(folder, seconds=1.0, size_px=32)
    assert [path.suffix for path in written] == [".mp4"] * 6 + [".png"] * 2
    media = read_mp4(written[2], fps=25, sample_rate_hz=16000, size_px=32)
    assert media.frames.shape == (25, 32, 32, 3)
    assert media.waveform.std() > 0.01
    for path in written[-2:]:
        with Image.open(path) as picture:
            assert min(picture.size) > 300
    assert {path.name for path in folder.iterdir()} == {p.name for p in written} | {LIST, "notes.txt"}


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds thesis\.tex and no list of what mfbench wrote"):
        preview(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(UsageError, match="is a file, wanted is a folder"):
        preview(tmp_path / "x")


@pytest.mark.parametrize(
    ("clips", "seconds", "size_px", "message"),
    [
        (5, 5.12, 256, "at least 6 clips, got 5"),
        (6, 1.03, 256, r"1\.03 s is not a whole number of frames"),
        (6, 0.4, 256, "of at least 1 s"),
        (6, 5.12, 255, "even side of at least 32 pixels, got 255"),
    ],
)
def test_wrong_arguments_write_nothing(
    tmp_path: Path, clips: int, seconds: float, size_px: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        preview(tmp_path / "out", clips=clips, seconds=seconds, size_px=size_px)
    assert not (tmp_path / "out").exists()
