from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench.data.manifest import (
    ClipEntry,
    FaceBox,
    ManifestError,
    Runtime,
    Timings,
    read_manifest,
    scan_folder,
)
from mfbench.data.manifest_fields import ALIASES

FILES = ("a.mp4", "b.mp4", "c.MOV", "a.wav", "face.png", "sub/d.mkv", "id00012/xyz/e.mp4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of (empty) files: reading them is not the list's business."""
    folder = tmp_path / "set"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "outside.mp4").touch()
    return folder


def jsonl(root: Path, *rows: dict[str, object]) -> Path:
    path = root / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def one(root: Path, **row: object) -> ClipEntry:
    (entry,) = read_manifest(jsonl(root, {"video": "a.mp4"} | row))
    return entry


def separated(rows: list[dict[str, object]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(
        {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in row.items()} for row in rows
    )
    return out.getvalue()


WRITERS: dict[str, Callable[[list[dict[str, object]]], str]] = {
    ".csv": lambda rows: separated(rows, ","),
    ".tsv": lambda rows: "\ufeff" + separated(rows, "\t"),
    ".json": lambda rows: json.dumps(rows, indent=2),
    ".jsonl": lambda rows: "\n\n".join(json.dumps(row) for row in rows),
}


ROWS: list[dict[str, object]] = [
    {
        "id": "x",
        "video": "b.mp4",
        "audio": "a.wav",
        "caption": 'a man,\nsaying "hello"',
        "transcript": "hello",
        "phonemes": ["HH", "AH"],
        "identity": "anna",
        "seed": 3,
        "prompt_id": "p1",
        "chunk_frames": 8,
        "timings": {"t_request": 1.5, "chunk_ready": [2.0, 2.5]},
        "generated_video_frames": 120,
        "generation_time_seconds": 2.5,
        "time_to_first_chunk_seconds": 0.5,
        "bbox": [0.1, 0.2, 0.5, 0.75],
        "ref_image": "face.png",
        "target": "c.MOV",
        "voice": 5,
        "start": 0.5,
        "end": 2,
        "fps": 25,
        "split": "test",
        "license": "CC0",
        "offset_sec": -0.04,
        "model": "ours",
    },
    {"id": "w", "video": "a.mp4"},
]


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_says_the_same(root: Path, suffix: str) -> None:
    path = root / f"m{suffix}"
    path.write_text(WRITERS[suffix](ROWS), newline="")
    plain, full = read_manifest(path)
    assert (plain.id, full.id) == ("w", "x")  # sorted by path
    assert plain == ClipEntry("w", plain.where, root / "a.mp4")
    assert full == ClipEntry(
        id="x",
        where=full.where,
        video=root / "b.mp4",
        audio=root / "a.wav",
        caption='a man,\nsaying "hello"',
        transcript="hello",
        phonemes=("HH", "AH"),
        identity="anna",
        speaker="anna",
        seed=3,
        prompt_id="p1",
        chunk_frames=8,
        timings=Timings(1.5, (2.0, 2.5)),
        runtime=Runtime(120, 2.5, 0.5),
        face_boxes=(FaceBox(0.1, 0.2, 0.5, 0.75, "share"),),
        reference_image=root / "face.png",
        target=root / "c.MOV",
        voice="5",
        start_s=0.5,
        end_s=2.0,
        fps=25.0,
        split="test",
        license="CC0",
        offset_s=-0.04,
        meta={"model": "ours"},
    )
    starts = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line == "  {"]
    lines = {".csv": (2, 4), ".tsv": (2, 4), ".json": tuple(starts), ".jsonl": (1, 3)}[suffix]
    assert (full.where, plain.where) == (f"{path}:{lines[0]}", f"{path}:{lines[1]}")


def test_parquet_needs_pyarrow_and_counts_rows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "m.parquet"
    path.touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ManifestError, match=r"m\.parquet:1: reading parquet needs pyarrow"):
        read_manifest(path)
    rows = [{"video": "a.mp4", "seed": 1}, {"video": "b.mp4", "seed": None}, {"video": "x.mp4", "seed": None}]
    library = ModuleType("pyarrow.parquet")
    library.read_table = lambda _: SimpleNamespace(to_pylist=lambda: rows)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", library)
    with pytest.raises(ManifestError, match=r"m\.parquet:3: video x\.mp4"):
        read_manifest(path)
    rows.pop()
    assert [entry.seed for entry in read_manifest(path)] == [1, None]


VALUES: dict[str, tuple[object, str, object]] = {
    "video": ("b.mp4", "video", "b.mp4"),
    "audio": ("a.wav", "audio", "a.wav"),
    "caption": ("a man", "caption", "a man"),
    "transcript": ("hello", "transcript", "hello"),
    "identity": ("anna", "identity", "anna"),
    "speaker": ("anna", "speaker", "anna"),
    "start": (0.5, "start_s", 0.5),
    "end": ("1:02.5", "end_s", 62.5),
    "face_boxes": ([1, 2, 30, 40], "face_boxes", (FaceBox(1, 2, 30, 40, "px"),)),
    "reference_image": ("face.png", "reference_image", "face.png"),
}


@pytest.mark.parametrize(
    ("field", "alias"), [(field, name) for field, names in ALIASES.items() for name in names]
)
def test_every_alias(root: Path, field: str, alias: str) -> None:
    value, attribute, wanted = VALUES[field]
    row = {alias: value} if field == "video" else {"video": "a.mp4", alias: value}
    (entry,) = read_manifest(jsonl(root, row))
    got = getattr(entry, attribute)
    assert (got.relative_to(root).as_posix() if isinstance(got, Path) else got) == wanted
    assert entry.meta == {}


def test_every_field_goes_by_its_own_name_too(root: Path) -> None:
    assert [field for field, names in ALIASES.items() if field not in names] == []
    both = one(root, face_boxes=[1, 2, 3, 4], crop=[5, 6, 7, 8])
    assert both.face_boxes == (FaceBox(1, 2, 3, 4, "px"),)
    assert both.meta == {"crop": [5, 6, 7, 8]}


def test_the_first_name_wins_and_the_others_are_kept(root: Path) -> None:
    """JavisDiT's table: path and relpath, text and audio_text."""
    entry = one(root, relpath="b.mp4", text="a man", prompt="a woman", audio_text="steps", height=512)
    assert (entry.video, entry.caption) == (root / "a.mp4", "a man")
    assert entry.meta == {"relpath": "b.mp4", "prompt": "a woman", "audio_text": "steps", "height": 512}


def test_what_is_not_written_is_not_known(root: Path) -> None:
    entry = one(root, caption="", seed=None)
    assert entry == ClipEntry("a", entry.where, root / "a.mp4")


@pytest.mark.parametrize(
    ("boxes", "wanted"),
    [
        ([0, 0, 1, 1], [FaceBox(0, 0, 1, 1, "share")]),
        ({"top": 0.1, "left": 0.2, "bottom": 0.3, "right": 0.4}, [FaceBox(0.2, 0.1, 0.4, 0.3, "share")]),
        ([[1, 2, 3, 4], [2, 3, 4, 5]], [FaceBox(1, 2, 3, 4, "px"), FaceBox(2, 3, 4, 5, "px")]),
    ],
)
def test_face_boxes(root: Path, boxes: object, wanted: list[FaceBox]) -> None:
    assert one(root, crop=boxes).face_boxes == tuple(wanted)


def test_the_speaker_may_be_a_folder(root: Path) -> None:
    (entry,) = read_manifest(jsonl(root, {"path": "id00012/xyz/e.mp4"}))
    assert (entry.id, entry.speaker, entry.identity) == ("id00012/xyz/e", "id00012", None)
    assert one(root, speaker=7).speaker == "7"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "f", "failed": True}, ""),
        ({"id": "f", "failed": "out of memory"}, "out of memory"),
        ({"id": "f", "failed": "yes", "failed_reason": "timeout"}, "timeout"),
        ({"id": "f", "failed_reason": "timeout"}, "timeout"),
        ({"id": "f", "failed": 1, "video": "never_written.mp4"}, ""),
    ],
)
def test_a_failed_row_stays(root: Path, row: dict[str, object], reason: str) -> None:
    first, last = read_manifest(jsonl(root, row | {"seed": 4}, {"video": "b.mp4", "failed": False}))
    assert (first.id, first.failed) == ("b", False)
    assert last == ClipEntry("f", last.where, None, seed=4, failed=True, failed_reason=reason)


def test_a_failed_row_keeps_the_file_it_has(root: Path) -> None:
    entry = one(root, failed="only half")
    assert (entry.failed, entry.video) == (True, root / "a.mp4")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"caption": "x"}, "no video; one of the columns video, path, video_path"),
        ({"video": "none.mp4"}, r"video none\.mp4: there is no such file"),
        ({"video": "sub"}, "video sub: there is no such file"),
        ({"video": "a.mp4", "audio": "none.wav"}, r"audio none\.wav: there is no such file"),
        ({"video": "a.mp4", "target": "none.mp4"}, r"target none\.mp4: there is no such file"),
        ({"video": "a.mp4", "target": "../outside.mp4"}, r"target \.\./outside\.mp4 leaves"),
        ({"video": "a.mp4", "ref_image": "none.png"}, r"reference_image none\.png: there is no such file"),
        ({"video": "../outside.mp4"}, r"video \.\./outside\.mp4 leaves .*set; move it there"),
        ({"video": "https://host/a.mp4"}, "video is the URL https://host/a.mp4"),
        ({"video": "a\0.mp4"}, "is no usable path"),
        ({"video": ["a.mp4"]}, r"video is \['a\.mp4'\] and must be text"),
        ({"video": "a.mp4", "id": 1.5}, r"id is 1\.5 and must be text"),
        ({"video": "a.mp4", "seed": "many"}, "seed is 'many' and must be a number"),
        ({"video": "a.mp4", "seed": -1}, "seed is -1 and must be a whole number of at least 0"),
        ({"video": "a.mp4", "seed": True}, "seed is True and must be a number"),
        (
            {"video": "a.mp4", "chunk_frames": 2.5},
            r"chunk_frames is 2\.5 and must be a whole number of at least 1",
        ),
        ({"video": "a.mp4", "fps": 0}, r"fps is 0\.0 and must be above 0"),
        ({"video": "a.mp4", "start_sec": -1}, "start_sec is -1 and must be seconds from 0 on"),
        ({"video": "a.mp4", "end": "1:x"}, "end is 'x' and must be a number"),
        ({"video": "a.mp4", "start": 3, "end": 2}, "the clip ends at 2 s, before it starts"),
        ({"video": "a.mp4", "phonemes": [1, 2]}, r"phonemes is \[1, 2\] and must be a list of texts"),
        ({"video": "a.mp4", "phonemes": "[broken"}, "phonemes is '.broken' and must be json"),
        ({"video": "a.mp4", "bbox": [1, 2, 3]}, r"bbox is \[1, 2, 3\] and must be \[x0, y0, x1, y1\]"),
        ({"video": "a.mp4", "bbox": {"top": 1}}, "bbox is .* and must be .*top, left, bottom, right"),
        ({"video": "a.mp4", "crop": [5, 2, 3, 4]}, "crop is .* and must be 0 <= left < right"),
        ({"video": "a.mp4", "bbox": "wide"}, r"bbox is 'wide' and must be \[x0, y0, x1, y1\]"),
        ({"video": "a.mp4", "timings": 3}, "timings is 3 and must be .*t_request"),
        (
            {"video": "a.mp4", "timings": {"t_request": 1, "ready": []}},
            "timings is .* and must be .*t_request",
        ),
        ({"video": "a.mp4", "timings": {"t_request": 1, "chunk_ready": [3, 2]}}, "in rising order"),
        ({"video": "a.mp4", "timings": {"t_request": 4, "chunk_ready": [3]}}, "after t_request"),
        ({"video": "a.mp4", "generated_video_frames": 0}, "generated_video_frames is 0 and must be a whole"),
        ({"video": "a.mp4", "generation_time_seconds": "fast"}, "generation_time_seconds is 'fast'"),
        ({"video": "a.mp4", "failed": []}, r"failed is \[\] and must be true, false or the reason"),
        (
            {"video": "a.mp4", "failed": False, "failed_reason": "x"},
            "failed is False and failed_reason says 'x'",
        ),
        ({"failed": True}, "a failed clip without a file needs an id"),
    ],
)
def test_wrong_values_are_named_with_their_line(root: Path, row: dict[str, object], message: str) -> None:
    with pytest.raises(ManifestError, match=rf"m\.jsonl:2: {message}|m\.jsonl:2: .*{message}"):
        read_manifest(jsonl(root, {"video": "b.mp4"}, row))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "video\na.mp4\nb.mp4,extra\n", r"m\.csv:3: 2 cells under 1 columns"),
        ("m.csv", "video,video\na.mp4,b.mp4\n", r"m\.csv:1: column 'video' stands twice"),
        ("m.csv", "video,\na.mp4,b.mp4\n", r"m\.csv:1: a column has no name"),
        ("m.csv", 'video,caption\nb.mp4,"two\nlines"\nnone.mp4,x\n', r"m\.csv:4: video none\.mp4"),
        ("m.csv", 'video\n"a.mp4\n', r"m\.csv:2: unexpected end of data"),
        ("m.tsv", "video\ta\nb.mp4\n", r"m\.tsv:2: 1 cells under 2 columns"),
        ("m.jsonl", '{"video": "a.mp4"}\n{"video": }\n', r"m\.jsonl:2: is no json"),
        ("m.jsonl", '{"video": "a.mp4"}\n\n[1]\n', r"m\.jsonl:3: expected an object .*, got list"),
        ("m.jsonl", '{"video": "a.mp4"} 3\n', r"m\.jsonl:1: something follows"),
        (
            "m.jsonl",
            '{"video": "a.mp4", "video": "b.mp4"}\n',
            r"m\.jsonl:1: is no usable json: 'video' stands twice",
        ),
        ("m.jsonl", '{"video": "a.mp4", "fps": NaN}\n', r"m\.jsonl:1: is no usable json: NaN"),
        ("m.json", '{"video": "a.mp4"}', r"m\.json:1: a json manifest is a list"),
        ("m.json", '[\n{"video": "a.mp4"}\n{"video": "b.mp4"}]', r"m\.json:3: expected ',' or '\]'"),
        ("m.json", '[\n{"video": "a.mp4"},\n\n{"video": "z.mp4"}]', r"m\.json:4: video z\.mp4"),
        ("m.json", '[\n{"video": "a.mp4"},\n', r"m\.json:3: is no json"),
        ("m.json", "[" * 100_000, r"m\.json:1: "),
        ("m.txt", "a.mp4", r"m\.txt:1: a manifest is one of \.csv, \.tsv, \.json, \.jsonl, \.parquet"),
    ],
)
def test_broken_tables_are_named_with_their_line(root: Path, name: str, text: str, message: str) -> None:
    (root / name).write_text(text)
    with pytest.raises(ManifestError, match=message):
        read_manifest(root / name)


def test_a_missing_manifest_and_other_bytes(root: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.csv:1: there is no such manifest"):
        read_manifest(root / "none.csv")
    (root / "m.csv").write_bytes(b"video\na.mp4\n\xff\xfe.mp4\n")
    with pytest.raises(ManifestError, match=r"m\.csv:3: is not UTF-8"):
        read_manifest(root / "m.csv")


def test_an_id_given_twice_names_both_lines(root: Path) -> None:
    path = jsonl(root, {"video": "a.mp4", "id": "x"}, {"video": "b.mp4"}, {"video": "c.MOV", "id": "x"})
    with pytest.raises(ManifestError, match=r"m\.jsonl:3: id 'x' stands at .*m\.jsonl:1 as well"):
        read_manifest(path)


def test_paths_may_leave_the_root_only_if_allowed(root: Path) -> None:
    (root / "link.mp4").symlink_to(root.parent / "outside.mp4")
    for name in ("../outside.mp4", str(root.parent / "outside.mp4"), "link.mp4"):
        path = jsonl(root, {"video": name, "id": "x"})
        with pytest.raises(ManifestError, match="leaves"):
            read_manifest(path)
        (entry,) = read_manifest(path, allow_outside=True)
        assert entry.video is not None
        assert entry.video.samefile(root.parent / "outside.mp4")


def test_a_folder_with_side_files(root: Path) -> None:
    (root / "a.txt").write_text("a man speaks\n")
    (root / "b.json").write_text('{"id": "second", "caption": "a dog", "seed": 3, "model": "ours"}')
    (root / "sub" / "d.json").write_text('{"ref_image": "../face.png"}')
    (root / "._a.mp4").touch()
    a, b, c, e, d = scan_folder(root)
    assert (a.id, a.caption, a.audio, a.video) == ("a", "a man speaks", root / "a.wav", root / "a.mp4")
    assert (b.id, b.caption, b.seed, b.meta, b.audio) == ("second", "a dog", 3, {"model": "ours"}, None)
    assert b.where == f"{root / 'b.json'}:1"
    assert (c.id, e.speaker) == ("c", "id00012")
    assert (d.id, d.reference_image) == ("sub/d", root / "sub" / "../face.png")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '{\n"seed": }', r"a\.json:2: is no json"),
        ("a.json", '{"seed": "x"}', r"a\.json:1: seed is 'x'"),
        ("a.json", "{}\n{}", r"a\.json:1: something follows"),
        ("a.json", '{"path": "b.mp4"}', r"a\.json:1: path stands here and is 'a\.mp4' by a file's name"),
        ("a.json", '{"input_audio": "b.wav"}', r"a\.json:1: input_audio stands here"),
        ("a.mov", "", r"a\.m..:1: id 'a' stands at .*a\.m..:1 as well"),
        ("sub/d.json", '{"ref_image": "../../outside.mp4"}', r"d\.json:1: reference_image .* leaves"),
    ],
)
def test_wrong_side_files(root: Path, name: str, text: str, message: str) -> None:
    (root / name).write_text(text)
    with pytest.raises(ManifestError, match=message):
        scan_folder(root)


def test_a_folder_must_hold_clips(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such folder"):
        scan_folder(tmp_path / "none")
    with pytest.raises(ManifestError, match=r"holds no \.mp4"):
        scan_folder(tmp_path)


@given(
    st.dictionaries(
        st.sampled_from(["id", "seed", "bbox", "timings", "failed", "start", "end", "phonemes", "fps", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_values_end_as_an_entry_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, object]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "a.mp4").touch()
    path = folder / "any.jsonl"
    path.write_text(json.dumps({"video": "a.mp4"} | row))
    try:
        (entry,) = read_manifest(path)
    except ManifestError as error:
        message = str(error)
    else:
        assert entry.id
        return
    assert message.startswith(f"{path}:1: ")
