from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import pytest
from av.stream import Stream
from numpy.typing import NDArray

from mfbench.data.decoding import square
from mfbench.data.media import MediaError, read_mp4, write_mp4

Packet: TypeAlias = "av.Packet[Stream]"
RATE_HZ = 16000
SECONDS = 3


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Grey pictures that get brighter, and a tone with a click at 2 s."""
    levels = np.linspace(60, 200, 25 * SECONDS).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (25 * SECONDS, 32, 32, 3))
    sound = (0.2 * np.sin(np.arange(RATE_HZ * SECONDS) * 2 * np.pi * 300 / RATE_HZ)).astype(np.float32)
    sound[2 * RATE_HZ : 2 * RATE_HZ + 80] = 0.9
    write_mp4(tmp_path / "tone.mp4", frames, sound, fps=25, sample_rate_hz=RATE_HZ)
    return tmp_path / "tone.mp4"


def remux(source: Path, keep: Callable[[Packet], bool], late_s: float = 0.0, streams: str = "va") -> Path:
    """Copy packets without decoding: drop some, move the sound, leave a stream out."""
    target = source.with_name("remuxed.mp4")
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        wanted = [s for s in old.streams if s.type[0] in streams]
        copies = {s.index: new.add_stream_from_template(s) for s in wanted}
        for packet in old.demux(*wanted):
            if packet.dts is None or packet.pts is None or packet.time_base is None or not keep(packet):
                continue
            if packet.stream.type == "audio":
                shift = round(late_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = copies[packet.stream.index]
            new.mux(packet)
    return target


def everything(_: Packet) -> bool:
    return True


def spoilt(source: Path, spoil: Callable[[int], bool]) -> Path:
    """Overwrite some video packets."""
    content = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [p for p in container.demux(video=0) if p.pos is not None and p.size]
    for index, packet in enumerate(packets):
        if spoil(index) and packet.pos is not None:
            content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    target = source.with_name("spoilt.mp4")
    target.write_bytes(content)
    return target


def click_s(waveform: NDArray[np.float32]) -> float:
    return float(np.flatnonzero(np.abs(waveform) > 0.6)[0]) / RATE_HZ


@pytest.mark.parametrize("late_s", [0.1, 0.25])
def test_sound_that_starts_late_is_heard_late(tone: Path, late_s: float) -> None:
    media = read_mp4(remux(tone, everything, late_s), fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    # moved packets lose the mark of the encoder's 64 ms of priming, which then play as silence
    assert late_s - 0.065 < media.facts.audio_start_s <= late_s
    assert click_s(media.waveform) == pytest.approx(2 + late_s, abs=1e-3)
    assert np.abs(media.waveform[: int((late_s - 0.005) * RATE_HZ)]).max() < 0.02  # pre-echo


def test_a_gap_stays_silent_and_what_follows_in_place(tone: Path) -> None:
    def keep(packet: Packet) -> bool:
        time_s = float((packet.pts or 0) * (packet.time_base or 0))
        return packet.stream.type == "video" or not 1.0 < time_s < 1.5

    media = read_mp4(remux(tone, keep), fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    assert np.abs(media.waveform[int(1.15 * RATE_HZ) : int(1.35 * RATE_HZ)]).max() == 0
    assert click_s(media.waveform) == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize(("streams", "missing"), [("v", "audio"), ("a", "video")])
def test_a_missing_stream_is_named(tone: Path, streams: str, missing: str) -> None:
    path = remux(tone, everything, streams=streams)
    with pytest.raises(MediaError, match=f"has no {missing} stream"):
        read_mp4(path, fps=25, sample_rate_hz=RATE_HZ, size_px=32)


def test_one_bad_packet_is_counted(tone: Path) -> None:
    media = read_mp4(spoilt(tone, lambda k: k == 40), fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    assert media.facts.bad_packets == 1
    assert len(media.frames) == 25 * SECONDS


def test_many_bad_packets_are_refused(tone: Path) -> None:
    path = spoilt(tone, lambda k: 20 < k < 50)
    with pytest.raises(MediaError, match=r"damaged: \d+ of \d+ packets"):
        read_mp4(path, fps=25, sample_rate_hz=RATE_HZ, size_px=32)


def test_a_variable_frame_rate_holds_pictures(tmp_path: Path) -> None:
    times_ms = [0, 40, 80, 480, 520, 560, 960]  # two pauses of 400 ms
    path = tmp_path / "variable.mp4"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25, options={"bf": "0"})
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for k, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 30 * k, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time_ms // 40, Fraction(1, 25)
            container.mux(picture.encode(frame))
        for k in range(16):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            block.sample_rate, block.pts = RATE_HZ, 1024 * k
            container.mux(sound.encode(block))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    media = read_mp4(path, fps=25, sample_rate_hz=RATE_HZ, size_px=32)
    assert media.facts.variable_rate
    shown = np.round(media.frames.mean((1, 2, 3)) / 30).astype(int)
    assert shown.tolist() == [0, 1] + [2] * 10 + [3, 4] + [5] * 10 + [6]


def test_wide_pixels_are_undone() -> None:
    """Pixels twice as wide as high: the display is 64 x 32 and its centre 16 pixels wide."""
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 8:24] = 200
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    assert (square(frame, 16, pixel_aspect=2.0) == 200).all()
    assert not (square(frame, 16, pixel_aspect=1.0) == 200).all()
