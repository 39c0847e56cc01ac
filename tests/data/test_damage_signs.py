"""Damage that leaves a file readable is told of, and whole files are not suspected."""

from __future__ import annotations

import logging
import zlib
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import CODECS, RATE_HZ, Recipe, ladder, remuxed, tone, write

from mfbench.data.checksums import broken_checksums
from mfbench.data.complaints import about, listening
from mfbench.data.media_facts import MediaFacts
from mfbench.data.streaming import Grid, open_media

GRID = Grid(fps=25, size_px=32, sample_rate_hz=RATE_HZ, block_s=0.4)
SEGMENT, CLUSTER = bytes.fromhex("18538067"), bytes.fromhex("1f43b675")
HEADER = bytes.fromhex("1a45dfa3") + b"\x80"


def facts_of(path: Path) -> MediaFacts:
    reader = open_media(path, GRID)
    assert sum(len(block.frames) for block in reader) > 0
    return reader.facts


def busy(frames: int = 38, side: int = 64) -> np.ndarray:
    """Pictures that take some bytes each."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (frames, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(late_s=0.3)], ids=["side by side", "late sound"])
def test_whole_files_show_no_damage(tmp_path: Path, suffix: str, recipe: Recipe) -> None:
    path = tmp_path / f"x{suffix}"
    facts = facts_of(write(path, busy(), tone(1.52, recipe.rate_hz(path)), recipe))
    assert facts.damage == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_packets_copied_into_another_file_show_no_damage(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / f"a{suffix}", busy(), tone(1.52))
    assert facts_of(remuxed(source, tmp_path / f"b{suffix}")).damage == ()


def packet_at(path: Path, kind: str, number: int) -> tuple[int, int]:
    """Where the content of a packet begins, and how long it is."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux() if p.stream.type == kind and p.size][number]
        content = path.read_bytes()
        assert packet.pos is not None
        return content.index(bytes(packet)[:24], packet.pos), packet.size


def damaged(path: Path, kind: str, number: int = 12) -> Path:
    """Overwrites the second half of one packet with noise."""
    start, size = packet_at(path, kind, number)
    content = bytearray(path.read_bytes())
    half = size - size // 2
    content[start + size // 2 : start + size] = np.random.default_rng(number).bytes(half)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_pictures_that_the_decoder_conceals_are_counted(tmp_path: Path, suffix: str) -> None:
    facts = facts_of(damaged(write(tmp_path / f"x{suffix}", busy(), tone(1.52)), "video"))
    assert facts.source_frames == 38
    assert (facts.bad_packets, facts.container_errors) == (0, 0)
    assert facts.faulty_packets >= 1
    assert facts.corrupt_frames >= 1
    assert any("pictures or blocks of sound are marked as corrupt" in sign for sign in facts.damage)


def test_sound_that_the_decoder_complains_about_is_counted(tmp_path: Path) -> None:
    facts = facts_of(damaged(write(tmp_path / "x.mp4", ladder(38), tone(1.52)), "audio"))
    assert facts.bad_packets + facts.faulty_packets >= 1
    assert facts.damage


def test_a_wrong_checksum_of_a_stream_is_seen(tmp_path: Path) -> None:
    """The samples are others then, and no rule of the format is broken."""
    path = write(tmp_path / "x.mkv", ladder(38), tone(1.52), Recipe(audio="flac"))
    assert facts_of(path).damage == ()
    start, size = packet_at(path, "audio", 3)
    content = bytearray(path.read_bytes())
    content[start + size // 2] ^= 1
    path.write_bytes(content)
    facts = facts_of(path)
    assert (facts.faulty_packets + facts.bad_packets, facts.broken_checksums) == (1, 1)


def test_gaps_in_the_sound_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for k, image in enumerate(ladder(50)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = k
            container.mux(picture.encode(frame))
            if k // 5 not in (3, 6):  # two holes of 200 ms
                block = av.AudioFrame.from_ndarray(
                    np.full((1, 640), 99, np.int16), format="s16", layout="mono"
                )
                block.sample_rate, block.pts = RATE_HZ, 640 * k
                container.mux(sound.encode(block))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    facts = facts_of(path)
    assert facts.sound_jumps == 2
    assert facts.damage == ("2 jumps in the clock of the sound",)


def test_a_stream_that_lacks_a_little_says_so(tmp_path: Path) -> None:
    whole = facts_of(write(tmp_path / "x.mp4", ladder(38), tone(1.52)))
    ends = (whole.video_decoded_s, whole.audio_decoded_s)
    assert ends[1] is not None
    lacking = replace(whole, video_declared_s=ends[0] + 0.08, audio_declared_s=ends[1] + 0.15)
    assert lacking.damage == (
        "picture ends 80 ms before its declared end",
        "sound ends 150 ms before its declared end",
    )
    assert replace(whole, video_declared_s=ends[0] + 0.015, audio_declared_s=ends[1] + 0.04).damage == ()
    assert replace(whole, video_declared_s=None, audio_declared_s=None).damage == ()


def element(name: bytes, content: bytes, *, checked: bool = False) -> bytes:
    if checked:
        content = b"\xbf\x84" + zlib.crc32(content).to_bytes(4, "little") + content
    return name + (1 << 28 | len(content)).to_bytes(4, "big") + content


def made(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    return broken_checksums(path, "matroska,webm")


@given(payloads=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), data=st.data())
def test_every_changed_byte_of_a_checked_part_is_seen(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "x.mkv"
    parts = [element(CLUSTER, payload, checked=True) for payload in payloads]
    whole = HEADER + element(SEGMENT, b"".join(parts))
    assert made(path, whole) == 0
    hit = data.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1))
    for index in hit:
        at = data.draw(st.integers(len(parts[index]) - len(payloads[index]), len(parts[index]) - 1))
        parts[index] = parts[index][:at] + bytes([parts[index][at] ^ 1]) + parts[index][at + 1 :]
    assert made(path, HEADER + element(SEGMENT, b"".join(parts))) == len(hit)
    assert broken_checksums(path, "mov,mp4,m4a,3gp,3g2,mj2") == 0


def test_parts_without_a_checksum_or_a_known_length_are_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    good, bad = (element(CLUSTER, b"abcdefgh", checked=True) for _ in range(2))
    bad = bad[:-1] + b"z"
    assert made(path, HEADER + element(SEGMENT, element(CLUSTER, b"no checksum") + good)) == 0
    live = SEGMENT + bytes.fromhex("01ffffffffffffff")
    assert made(path, HEADER + live + good + bad) == 1
    endless = CLUSTER + b"\xff" + bad[8:]
    assert made(path, HEADER + live + good + endless) == 0
    assert made(path, HEADER + live + good + bad[:-3]) == 1  # the end is missing
    assert made(path, HEADER + live + bad + b"\x00" + bad) == 1  # nothing can be told after that
    assert made(path, b"") == 0


def test_only_errors_are_heard_and_everything_is_as_before() -> None:
    level, once = av.logging.get_level(), av.logging.get_skip_repeated()
    with listening() as messages:
        for name in ("one", "two", "two"):
            av.logging.log(av.logging.ERROR, name, "the same")
        av.logging.log(av.logging.WARNING, "one", "mind")
    assert [message[1:] for message in messages] == [
        ("one", "the same"),
        ("two", "the same"),
        ("two", "the same"),
    ]
    assert (about("two", messages), about("three", messages)) == (2, 0)
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == (level, once)


def test_nothing_is_printed_of_a_damaged_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = damaged(write(tmp_path / "x.mp4", busy(), tone(1.52)), "video")
    with caplog.at_level(logging.DEBUG):
        assert facts_of(path).faulty_packets >= 1
    assert caplog.records == []
