from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from media_files import RATE_HZ, Recipe, ladder, still, tone, write
from mutations import KINDS, mutated

from mfbench.data.media_facts import MediaError, Reason
from mfbench.data.streaming import Grid, open_media

GRID = Grid(fps=25, size_px=32, sample_rate_hz=RATE_HZ, block_s=0.4)
SUFFIXES = (".mp4", ".mkv", ".avi", ".mpg")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A whole file of each format."""
    folder = tmp_path_factory.mktemp("whole")
    files = {}
    for suffix in SUFFIXES:
        path = folder / f"x{suffix}"
        options = (("movflags", "+faststart"),) if suffix == ".mp4" else ()
        recipe = Recipe(options=options)
        files[suffix] = write(path, ladder(38), tone(1.52, recipe.rate_hz(path)), recipe).read_bytes()
    return files


def outcome(path: Path, grid: Grid = GRID, limit_s: float = 3600.0) -> str:
    """ "facts", or the reason of the error; whatever else is raised fails the test."""
    try:
        reader = open_media(path, grid, limit_s=limit_s)
        finite = all(len(block.frames) and np.isfinite(block.waveform).all() for block in reader)
    except MediaError as error:
        named, reason = str(path) in str(error), error.reason
    else:
        assert finite
        assert reader.facts.packets > 0
        return "facts"
    assert named
    assert reason in get_args(Reason)
    return reason


def survey(whole: dict[str, bytes], folder: Path, seeds: range) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        suffix = SUFFIXES[(seed // len(KINDS)) % len(SUFFIXES)]
        path = folder / f"x{suffix}"
        path.write_bytes(mutated(whole[suffix], seed))
        outcomes[outcome(path)] += 1
    return outcomes


@pytest.mark.timeout(120)
def test_damaged_files_end_as_facts_or_a_reason(whole: dict[str, bytes], tmp_path: Path) -> None:
    outcomes = survey(whole, tmp_path, range(150))
    assert sum(outcomes.values()) == 150
    assert {"facts", "unreadable", "damaged", "truncated"} <= set(outcomes)
    assert outcomes["facts"] < 110


@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.parametrize("part", range(4))
def test_many_damaged_files_end_as_facts_or_a_reason(
    whole: dict[str, bytes], tmp_path: Path, part: int
) -> None:
    assert sum(survey(whole, tmp_path, range(1000 + 250 * part, 1250 + 250 * part)).values()) == 250


def test_whole_files_are_read(whole: dict[str, bytes], tmp_path: Path) -> None:
    for suffix, content in whole.items():
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        assert outcome(path) == "facts"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_a_file_cut_short_is_truncated(
    whole: dict[str, bytes], tmp_path: Path, suffix: str, share: float
) -> None:
    """Not so mpg, whose header states no length."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(whole[suffix][: int(share * len(whole[suffix]))])
    assert outcome(path) == "truncated"


def test_a_few_zeroed_bytes_do_not_spoil_a_file(whole: dict[str, bytes], tmp_path: Path) -> None:
    content = bytearray(whole[".mp4"])
    middle = len(content) // 2
    content[middle : middle + 60] = bytes(60)
    (tmp_path / "x.mp4").write_bytes(content)
    reader = open_media(tmp_path / "x.mp4", GRID)
    assert sum(len(block.frames) for block in reader) == 38
    assert reader.facts.bad_packets <= 1


@pytest.mark.parametrize(
    ("name", "content", "reason", "message"),
    [
        ("empty.mp4", b"", "empty", "it is empty"),
        ("text.mkv", b"hello, this is text\n" * 50, "unreadable", "is it whole"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hosts\n", "unreadable", "is it whole"),
        ("missing.mp4", None, "not_a_file", "no such file"),
        (".", None, "not_a_file", "no such file"),
    ],
)
def test_what_cannot_be_opened(
    tmp_path: Path, name: str, content: bytes | None, reason: str, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=f"cannot be read as mp4, mov, mkv.*{message}") as caught:
        open_media(path, GRID)
    assert caught.value.reason == reason


@pytest.mark.parametrize("url", ["https://example.org/a.mp4", "rtmp://host/live", "file:///tmp/a.mp4"])
def test_urls_are_refused(url: str) -> None:
    with pytest.raises(MediaError, match="download it first") as caught:
        open_media(Path(url), GRID)
    assert caught.value.reason == "url"


def test_other_formats_are_not_opened(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.mp4"), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
    assert outcome(tmp_path / "x.mp4") == "unreadable"


def test_sound_alone_has_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert outcome(tmp_path / "x.mp4") == "no_video"


def test_limits(whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(whole[".mp4"])
    assert outcome(path, limit_s=1.0) == "too_long"
    monkeypatch.setattr("mfbench.data.decoding.MAX_PIXELS", 32 * 31)
    assert outcome(path) == "too_large"


def test_a_length_that_no_header_states_is_limited_too(tmp_path: Path) -> None:
    live = Recipe(options=(("live", "1"),))
    path = write(tmp_path / "x.mkv", ladder(50), tone(2), live)
    with av.open(str(path)) as container:
        assert container.duration is None
    assert outcome(path) == "facts"
    assert outcome(path, limit_s=1.0) == "too_long"


def test_less_than_a_frame_is_too_short(tmp_path: Path) -> None:
    late = write(tmp_path / "late.mov", still(10), tone(0.4), Recipe(late_s=0.39))
    assert outcome(late) == "too_short"
    slow = write(tmp_path / "short.mov", still(1), tone(0.04))
    assert outcome(slow) == "facts"
    assert outcome(slow, Grid(5, 32, RATE_HZ, 0.4)) == "too_short"


def test_values_that_are_no_numbers_never_come_out(tmp_path: Path) -> None:
    sound = tone(1.6)
    sound[8000:8010] = np.nan
    path = write(tmp_path / "x.mov", still(40), sound, Recipe(audio="pcm_f32le"))
    reader = open_media(path, GRID)
    heard = np.concatenate([block.waveform for block in reader])
    assert np.isfinite(heard).all()
    assert reader.facts.bad_packets == 1
    assert (heard[8000:8010] == 0).all()
    assert np.abs(heard[12000:]).max() > 0.2
