from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mfbench.character.face import render
from mfbench.character.performance import Performance, perform
from mfbench.data.media import MediaError, read_mp4, write_mp4

SIZE_PX = 64
RATE_HZ = 16000


@pytest.fixture(scope="module")
def performance() -> Performance:
    return perform(0, "test", 1, 2.56, 25.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, performance: Performance) -> Path:
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    write_mp4(path, render(performance.face, SIZE_PX), performance.waveform, fps=25, sample_rate_hz=RATE_HZ)
    return path


def still(frames: int, height: int = 32, width: int = 32) -> NDArray[np.uint8]:
    return np.full((frames, height, width, 3), 90, np.uint8)


def lag(heard: NDArray[np.float32], said: NDArray[np.float32]) -> int:
    """Samples by which `heard` is late, at the peak of the cross-correlation."""
    size = 2 * len(said)
    peak = np.fft.irfft(np.fft.rfft(heard, size) * np.fft.rfft(said, size).conj(), size).argmax()
    return int((peak + size // 2) % size - size // 2)


def with_halved_chroma(frames: NDArray[np.uint8]) -> NDArray[np.int_]:
    """What yuv420p alone leaves of the pictures; how much that is depends on whose colours they are."""
    pictures = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]
    return np.stack([p.reformat(format="yuv420p").to_ndarray(format="rgb24") for p in pictures]).astype(int)


def test_round_trip_keeps_picture_and_sound_in_place(clip: Path, performance: Performance) -> None:
    media = read_mp4(clip, fps=25, sample_rate_hz=RATE_HZ, size_px=SIZE_PX)
    drawn = render(performance.face, SIZE_PX)
    assert media.frames.shape == drawn.shape
    assert media.waveform.shape == performance.waveform.shape
    assert lag(media.waveform, performance.waveform) == 0
    assert np.corrcoef(media.waveform, performance.waveform)[0, 1] > 0.99
    error = np.abs(media.frames.astype(int) - with_halved_chroma(drawn)).mean((1, 2, 3))
    assert error.max() < 3  # 1.8 to 2.5 over the sixteen identities
    assert media.facts.bad_packets == 0
    assert not media.facts.variable_rate
    assert media.facts.source_frames == len(drawn)


def test_half_the_frame_rate_takes_the_frame_on_screen_at_the_centre(clip: Path) -> None:
    every, other = (
        read_mp4(clip, fps=fps, sample_rate_hz=RATE_HZ, size_px=SIZE_PX).frames for fps in (25, 12.5)
    )
    np.testing.assert_array_equal(other, every[1::2])  # (k + 0.5) / 12.5 is where frame 2 k + 1 begins


def test_bytes_repeat(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 8000).astype(np.float32)
    frames = np.random.default_rng(1).integers(0, 255, (12, 32, 48, 3), np.uint8)
    for name in ("a.mp4", "b.mp4"):
        write_mp4(tmp_path / name, frames, sound, fps=25, sample_rate_hz=RATE_HZ)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(("fps", "rate_hz"), [(12.5, 16000), (24, 48000), (25, 16000), (30, 44100)])
def test_a_flash_and_a_click_stay_together(tmp_path: Path, fps: float, rate_hz: int) -> None:
    frames, sound = still(int(4 * fps), 64, 64), np.zeros(4 * rate_hz, np.float32)
    events_s = [1.04, 2.0, 3.12] if fps == 12.5 else [1.0, 2.0, 3.0]
    click = 0.8 * np.sin(np.arange(rate_hz // 200) * 2 * np.pi * 1000 / rate_hz)
    for event_s in events_s:
        frame, sample = round(event_s * fps), round(event_s * rate_hz)
        frames[frame : frame + int(fps / 8) + 1] = 255
        sound[sample : sample + len(click)] = click
    write_mp4(tmp_path / "events.mp4", frames, sound, fps=fps, sample_rate_hz=rate_hz)
    media = read_mp4(tmp_path / "events.mp4", fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    lit = media.frames.mean((1, 2, 3)) > 180
    flashes_s = (np.flatnonzero(lit[1:] & ~lit[:-1]) + 1) / 25
    loud = np.flatnonzero(np.abs(media.waveform) > 0.3)
    clicks_s = loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 4] / RATE_HZ
    np.testing.assert_allclose(flashes_s, events_s, atol=0.001)
    np.testing.assert_allclose(clicks_s, events_s, atol=0.002)


def test_the_centre_is_cut_out_of_a_wide_picture(tmp_path: Path) -> None:
    frames = still(25, 64, 128)
    frames[:, :, :32], frames[:, :, 96:] = 255, 0
    write_mp4(tmp_path / "wide.mp4", frames, np.zeros(RATE_HZ, np.float32), fps=25, sample_rate_hz=RATE_HZ)
    media = read_mp4(tmp_path / "wide.mp4", fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    assert media.frames.shape == (25, 32, 32, 3)
    np.testing.assert_allclose(media.frames[:, :, 2:-2].astype(float), 90, atol=6)


@pytest.mark.parametrize(
    ("frames", "samples", "message"),
    [
        (still(2, 31, 32), 1000, "even sides, got 32 x 31"),
        (still(0), 1000, "frames"),
        (still(2)[..., :2], 1000, "uint8"),
        (still(2), 0, "waveform"),
    ],
)
def test_refused_to_write(tmp_path: Path, frames: NDArray[np.uint8], samples: int, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        write_mp4(tmp_path / "x.mp4", frames, np.zeros(samples, np.float32), fps=25, sample_rate_hz=RATE_HZ)
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("url", ["https://example.org/a.mp4", "rtmp://host/live"])
def test_urls_are_refused(url: str) -> None:
    with pytest.raises(MediaError, match=r"is a URL.*download it first"):
        read_mp4(Path(url), fps=25, sample_rate_hz=RATE_HZ, size_px=32)


@pytest.mark.parametrize("content", [b"", b"hello, this is text", None])
def test_what_is_no_mp4_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=r"x\.mp4 cannot be read as mp4"):
        read_mp4(path, fps=25, sample_rate_hz=RATE_HZ, size_px=32)


def test_a_cut_file_is_refused(tmp_path: Path, clip: Path) -> None:
    whole = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(0.6 * len(whole))])
    with pytest.raises(MediaError, match=r"truncated: it declares 2\.56 s"):
        read_mp4(tmp_path / "cut.mp4", fps=25, sample_rate_hz=RATE_HZ, size_px=32)
