from __future__ import annotations

import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import (
    RATE_HZ,
    Recipe,
    click_times_s,
    clicks,
    ladder,
    remuxed,
    still,
    tone,
    write,
)
from numpy.typing import NDArray

from mfbench.data.media import read_mp4
from mfbench.data.media_facts import MediaError, MediaFacts
from mfbench.data.streaming import Block, Grid, open_media
from mfbench.errors import UsageError

NTSC = Fraction(30000, 1001)
GRID = Grid(fps=25, size_px=32, sample_rate_hz=RATE_HZ, block_s=0.4)


def read(path: Path, grid: Grid = GRID) -> tuple[NDArray[np.uint8], NDArray[np.float32], MediaFacts]:
    """The joined blocks, whose borders are checked."""
    reader = open_media(path, grid)
    blocks = list(reader)
    samples = 0
    for number, block in enumerate(blocks):
        assert block.start_s == pytest.approx(number * grid.block_s)
        assert block.waveform.dtype == np.float32
        assert block.frames.dtype == np.uint8
        if block is not blocks[-1]:
            assert len(block.frames) == grid.block_frames
            assert len(block.waveform) == round(grid.block_s * grid.sample_rate_hz)
        samples += len(block.waveform)
    frames = np.concatenate([block.frames for block in blocks])
    assert samples == round(len(frames) / grid.rate * grid.sample_rate_hz)
    return frames, np.concatenate([block.waveform for block in blocks]), reader.facts


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clip") / "clip.mp4", ladder(41), tone(41 / 25))


@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.25])
@pytest.mark.parametrize(
    ("suffix", "fps", "sound_hz"),
    [
        (".mp4", Fraction(24), 48000),
        (".mp4", Fraction(25), 16000),
        (".mov", NTSC, 16000),
        (".mkv", Fraction(30), 44100),
        (".webm", Fraction(25, 2), 48000),
    ],
)
def test_flash_and_click_stay_together(
    tmp_path: Path, suffix: str, fps: Fraction, sound_hz: int, late_s: float
) -> None:
    flash = [round(second * fps) for second in (1.04, 1.6)]
    if fps != Fraction(25, 2):
        flash = [round(second * fps) for second in (1, 2)]
    events_s = [float(number / fps) for number in flash]
    frames = still(round(2.4 * fps), level=20)
    for number in flash:
        frames[number : number + 4] = 235
    sound = clicks([time_s - late_s for time_s in events_s], 2.4 - late_s, sound_hz)
    path = write(tmp_path / f"x{suffix}", frames, sound, Recipe(fps=fps, sound_hz=sound_hz, late_s=late_s))
    shown, heard, facts = read(path)
    lit = shown.mean((1, 2, 3)) > 128
    flashes_s = (np.flatnonzero(lit[1:] & ~lit[:-1]) + 1) / 25
    error_s = np.array(click_times_s(heard, 2)) - flashes_s
    assert np.abs(error_s).max() <= (0.003 if fps == NTSC else 0.001) + 1e-9
    # edit lists of mp4 and times of Matroska are rounded to 1 ms when they are written
    np.testing.assert_allclose(click_times_s(heard, 2), events_s, atol=1e-3 if late_s else 2e-4, rtol=1e-9)
    assert facts.source_fps == pytest.approx(float(fps), rel=1e-3)
    assert not facts.variable_rate
    # the samples that prime an AAC encoder are counted by some containers, as silence
    assert late_s * 1000 - 66 <= facts.mux_offset_ms <= late_s * 1000 + 1


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".mpg", ".mp4"])
def test_sound_has_no_seams(tmp_path: Path, suffix: str) -> None:
    """Matroska's rounded times must not cut or double samples: a sine stays one sine."""
    recipe = Recipe(layout="stereo")
    path = tmp_path / f"x{suffix}"
    write(path, still(50), tone(2, recipe.rate_hz(path)), recipe)
    _, heard, _ = read(path)
    inside = heard[RATE_HZ // 4 : 7 * RATE_HZ // 4]
    phase = 2 * np.pi * 440 * np.arange(len(inside)) / RATE_HZ
    waves = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    fit, *_ = np.linalg.lstsq(waves, inside, rcond=None)
    assert np.hypot(*fit) == pytest.approx(0.3, rel=0.02)
    assert np.abs(inside - waves @ fit).max() < 0.02


@pytest.mark.parametrize(
    ("name", "layout", "sound_hz"),
    [
        ("x.mp4", "mono", 8000),
        ("x.mov", "stereo", 48000),
        ("x.avi", "mono", 22050),
        ("x.mpg", "stereo", 44100),
    ],
)
def test_facts_of_sound(tmp_path: Path, name: str, layout: str, sound_hz: int) -> None:
    path = write(tmp_path / name, still(30), tone(1.2, sound_hz), Recipe(layout=layout, sound_hz=sound_hz))
    frames, heard, facts = read(path)
    assert (facts.channels, facts.source_rate_hz) == ({"mono": 1, "stereo": 2}[layout], sound_hz)
    assert 28 <= len(frames) <= 30
    assert facts.audio_decoded_s == pytest.approx(1.2, abs=0.1)
    assert np.sqrt((heard**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert facts.has_audio


def test_facts_of_a_plain_file(clip: Path) -> None:
    _, _, facts = read(clip)
    assert (facts.container, facts.video_codec, facts.audio_codec) == (
        "mov,mp4,m4a,3gp,3g2,mj2",
        "h264",
        "aac",
    )
    assert (facts.start_s, facts.video_start_s, facts.audio_start_s) == (0, 0, 0)
    seconds = [facts.end_s, facts.video_end_s, facts.video_declared_s, facts.video_decoded_s]
    assert seconds == pytest.approx([1.64] * 4)
    assert facts.audio_declared_s == pytest.approx(1.64)
    assert facts.audio_decoded_s == pytest.approx(1.64, abs=0.064)
    assert (facts.mux_offset_ms, facts.rotation_deg, facts.pixel_aspect) == (0, 0, 1)
    assert facts.duration_gap_ms == pytest.approx(1000 * (facts.audio_end_s - 1.64))
    assert (facts.source_width_px, facts.source_height_px, facts.source_frames) == (32, 32, 41)
    assert (facts.duplicated_frames, facts.dropped_frames, facts.bad_packets) == (0, 0, 0)
    assert facts.packets >= 41 + 26


@pytest.mark.parametrize(("fps", "duplicated", "dropped"), [(12.5, 0, 19), (50, 41, 0), (25, 0, 0)])
def test_resampled_frames_are_counted(clip: Path, fps: float, duplicated: int, dropped: int) -> None:
    _, _, facts = read(clip, Grid(fps, 32, RATE_HZ, 0.32))
    assert (facts.duplicated_frames, facts.dropped_frames) == (duplicated, dropped)


@settings(max_examples=12)
@given(frames=st.integers(1, 60), fps=st.sampled_from([25.0, 12.5, 30.0]))
def test_joined_blocks_are_the_whole(clip: Path, frames: int, fps: float) -> None:
    grid = Grid(fps, 32, RATE_HZ, float(frames * Grid(fps, 32, RATE_HZ, 2.0).finest_s))
    shown, heard, facts = read(clip, grid)
    whole = read_mp4(clip, fps=fps, sample_rate_hz=RATE_HZ, size_px=32)
    np.testing.assert_array_equal(shown, whole.frames)
    np.testing.assert_array_equal(heard, whole.waveform)
    assert facts == whole.facts


def test_frames_are_those_on_screen(clip: Path) -> None:
    shown, _, _ = read(clip)
    np.testing.assert_allclose(shown.mean((1, 2, 3)), 20 + 4 * np.arange(41), atol=2)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_variable_rate_holds_pictures(tmp_path: Path, suffix: str) -> None:
    times = (0, 1, 2, 12, 13, 14, 24, 25, 26, 27)
    path = write(tmp_path / f"x{suffix}", ladder(10), tone(1.12), Recipe(times=times))
    shown, _, facts = read(path)
    wanted = np.searchsorted(times, np.arange(28), side="right") - 1
    np.testing.assert_allclose(shown.mean((1, 2, 3)), 20 + 4 * wanted, atol=2)
    assert facts.variable_rate
    assert facts.duplicated_frames == 18


def test_a_last_picture_stays_as_long_as_the_file_says(tmp_path: Path) -> None:
    """Slides: the last one stands for two seconds, which no distance between frames shows."""
    source = write(tmp_path / "source.mp4", ladder(5), None, Recipe(video="mpeg4"))
    path = tmp_path / "x.mp4"
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux():
            if packet.dts is not None:
                packet.duration = packet.duration * (50 if packet.pts == 4 * packet.duration else 1)
                packet.stream = copy
                new.mux(packet)
    shown, _, facts = read(path)
    assert (len(shown), facts.duplicated_frames) == (54, 49)
    assert facts.video_declared_s == facts.video_decoded_s == pytest.approx(54 / 25)


def test_no_sound_is_silence_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", ladder(25), None)
    assert not open_media(path, GRID).has_audio
    shown, heard, facts = read(path)
    assert len(shown) == 25
    assert heard.shape == (RATE_HZ,)
    assert not heard.any()
    assert not facts.has_audio
    assert (facts.mux_offset_ms, facts.duration_gap_ms, facts.audio_decoded_s) == (None, None, None)
    with pytest.raises(MediaError, match=r"x\.mp4 has no audio stream") as caught:
        read_mp4(path, fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    assert caught.value.reason == "no_audio"


def test_silent_sound_is_sound(tmp_path: Path) -> None:
    _, heard, facts = read(write(tmp_path / "x.mp4", ladder(25), np.zeros(RATE_HZ, np.float32)))
    assert facts.has_audio
    assert not heard.any()


@pytest.mark.parametrize(("frames", "seconds", "gap_ms"), [(25, 2.0, 1000), (50, 1.0, -1000)])
def test_the_shorter_stream_ends_the_clip(tmp_path: Path, frames: int, seconds: float, gap_ms: float) -> None:
    path = write(tmp_path / "x.mov", ladder(frames), tone(seconds))
    shown, heard, facts = read(path)
    assert len(shown) == 25
    assert len(heard) == RATE_HZ
    assert facts.end_s == 1
    assert facts.duration_gap_ms == pytest.approx(gap_ms, abs=1)
    assert facts.source_frames == frames
    assert facts.dropped_frames == 0


def test_turned_pictures_stand_upright(tmp_path: Path) -> None:
    frames = still(10, 32, 64, level=20)
    frames[:, :, 32:] = 230
    for degrees in (90, 180, 270):
        path = write(tmp_path / f"{degrees}.mp4", frames, None, Recipe(rotation=degrees))
        shown, _, facts = read(path, Grid(25, 32, RATE_HZ, 0.4, fit="whole"))
        assert facts.rotation_deg == degrees
        turned = np.rot90(frames[0], degrees // 90)
        assert shown.shape[1:] == turned.shape
        assert np.abs(shown[0].astype(int) - turned).mean() < 8


@pytest.mark.parametrize(
    ("height", "width", "wanted"), [(33, 47, (32, 46)), (75, 51, (47, 32)), (5, 3, (53, 32))]
)
def test_odd_sizes(tmp_path: Path, height: int, width: int, wanted: tuple[int, int]) -> None:
    frames = still(10, height, width, level=60)
    frames[:, : height // 2] = 180
    path = write(tmp_path / "x.mkv", frames, tone(0.4), Recipe(pixels="yuv444p"))
    shown, _, facts = read(path, Grid(25, 32, RATE_HZ, 0.4, fit="whole"))
    assert shown.shape == (10, *wanted, 3)
    assert (facts.source_height_px, facts.source_width_px) == (height, width)
    assert shown.mean() == pytest.approx(frames.mean(), abs=3)
    assert read(path)[0].shape == (10, 32, 32, 3)


def test_wide_pixels_are_undone(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", still(10, 64, 64), None, Recipe(pixel_aspect=Fraction(2)))
    shown, _, facts = read(path, Grid(25, 32, RATE_HZ, 0.4, fit="whole"))
    assert facts.pixel_aspect == 2
    assert shown.shape == (10, 32, 64, 3)
    assert read(path)[0].shape == (10, 32, 32, 3)


@pytest.mark.parametrize("suffix", [".mkv", ".mpg"])
def test_one_stream_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    recipe = Recipe(sound_hz=44100, video="mpeg4" if suffix == ".mkv" else None)  # without B frames
    source = write(tmp_path / f"good{suffix}", ladder(50), tone(2, 44100), recipe)
    path = remuxed(source, tmp_path / f"bad{suffix}", "va", {"max_interleave_delta": "1"})
    for shown, again in zip(read(source)[:2], read(path)[:2], strict=True):
        np.testing.assert_array_equal(shown, again)
    monkeypatch.setattr("mfbench.data.decoding.MAX_WAITING_BYTES", 8192)
    with pytest.raises(
        MediaError, match=r"badly interleaved: more than .* before the next packet of its sound"
    ) as e:
        read(path)
    assert e.value.reason == "badly_interleaved"
    monkeypatch.setattr("mfbench.data.decoding.MAX_WAITING_BYTES", 64 * 1024)
    read(source)


MEASURE = """
import re, sys
from pathlib import Path
from mfbench.data.streaming import Grid, open_media
blocks = sum(1 for _ in open_media(Path(sys.argv[1]), Grid(25, 64, 16000, 1.0)))
print(blocks, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def test_memory_is_flat(tmp_path: Path) -> None:
    """The frames of the longer file alone are 18 MB; both peaks differ by at most 4 MiB."""
    peaks_kib = []
    for seconds in (10, 60):
        path = write(tmp_path / f"{seconds}.mp4", ladder(25 * seconds), tone(seconds), Recipe(video="mpeg4"))
        command = [sys.executable, "-c", MEASURE, str(path)]
        blocks, peak_kib = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert int(blocks) == seconds
        peaks_kib.append(int(peak_kib))
    assert peaks_kib[1] - peaks_kib[0] < 4096


def test_a_reader_is_read_once_and_knows_the_facts_at_the_end(clip: Path) -> None:
    reader = open_media(clip, GRID)
    with pytest.raises(RuntimeError, match="after the last block"):
        _ = reader.facts
    first: Block = next(iter(reader))
    assert first.start_s == 0
    with pytest.raises(RuntimeError, match="read already"):
        list(reader)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"block_s": 0.41}, "10.2500 frames"),
        ({"block_s": 0.0}, "0.0000 frames"),
        ({"fps": 30.0, "sample_rate_hz": 16000, "block_s": 1 / 30}, "533.3333 samples.*multiple of 0.1 s"),
        ({"fps": 0.0}, "0.0 frames/s"),
        ({"size_px": 0}, "0 pixels"),
        ({"fit": "stretch"}, "centre-square, whole"),
    ],
)
def test_grids_that_cannot_be(grid: dict[str, float], message: str) -> None:
    fields = {"fps": 25.0, "size_px": 32, "sample_rate_hz": RATE_HZ, "block_s": 0.4} | grid
    with pytest.raises(UsageError, match=message):
        Grid(**fields)


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(MediaError("x.mp4 is cut", "truncated")))
    assert (str(error), error.reason) == ("x.mp4 is cut", "truncated")
