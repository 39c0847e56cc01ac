"""Lists of clips: a manifest, or a folder with side files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mfbench.data.manifest_fields import ALIASES, FaceBox, Fields, Runtime, Timings
from mfbench.data.manifest_rows import ManifestError, Row, json_object, rows_of, text_of

__all__ = [
    "SUFFIXES",
    "ClipEntry",
    "FaceBox",
    "ManifestError",
    "Runtime",
    "Timings",
    "read_manifest",
    "scan_folder",
]

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg")
SPEAKER_FOLDER = re.compile(r"(id|s)\d+")


@dataclass(frozen=True)
class ClipEntry:
    """A clip to score; `None` where nothing is known.

    Attributes:
        id: unique in the list.
        where: file:line of the manifest, or the file itself.
        video: `None` only where the generation failed.
        audio: own sound file, where the video's sound is not to be used.
        caption: what the clip should show, the text prompt.
        transcript: what is said.
        voice: index of the talking character's voice that was asked for, or another name of a voice.
        speaker: column, or else a folder above the file that is named like id00012 or s3.
        chunk_frames: frames of a chunk that was generated at once.
        face_boxes: one, or one per frame.
        target: the true film that this one reconstructs, frame by frame.
        failed: the generation gave no clip; it counts as failed, whatever file there is.
        failed_reason: "" where none was written.
        start_s: first second to score.
        offset_s: how much the sound is known to lead the picture.
        meta: the columns without a meaning here.
    """

    id: str
    where: str
    video: Path | None
    audio: Path | None = None
    caption: str | None = None
    transcript: str | None = None
    phonemes: tuple[str, ...] | None = None
    identity: str | None = None
    voice: str | None = None
    speaker: str | None = None
    seed: int | None = None
    prompt_id: str | None = None
    chunk_frames: int | None = None
    timings: Timings | None = None
    runtime: Runtime | None = None
    face_boxes: tuple[FaceBox, ...] | None = None
    reference_image: Path | None = None
    target: Path | None = None
    failed: bool = False
    failed_reason: str = ""
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    split: str | None = None
    license: str | None = None
    offset_s: float | None = None
    meta: dict[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class _Place:
    """Where paths begin and what they may not leave."""

    base: Path
    root: Path
    allow_outside: bool

    def find(self, fields: Fields, name: str, *, needed: bool) -> Path | None:
        """The file that a field names; `None` without the field or, where it is not needed, the file."""
        text = fields.text(name)
        if text is None:
            return None
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
            raise fields.error(f"{name} is the URL {text}; only local files are read, so download it first")
        path = self.base / text
        try:
            outside = not path.resolve().is_relative_to(self.root.resolve())
            there = path.is_file()
        except (OSError, ValueError) as error:
            raise fields.error(f"{name} {text!r} is no usable path ({error})") from error
        if outside and not self.allow_outside:
            raise fields.error(f"{name} {text} leaves {self.root}; move it there, or allow files outside")
        if not there and needed:
            raise fields.error(f"{name} {text}: there is no such file; paths begin at {self.base}")
        return path if there else None


def read_manifest(path: Path, *, allow_outside: bool = False) -> tuple[ClipEntry, ...]:
    """The clips of a csv, tsv, json, jsonl or (with pyarrow) parquet file.

    They are sorted by path, those without a file last. `ALIASES` lists the names of columns; the first of a
    field's names that has a value wins, and what no field takes goes to `meta`. Paths begin at the manifest's
    folder.

    Args:
        path: of the manifest.
        allow_outside: whether paths may leave its folder.

    Raises:
        ManifestError: with file:line; a bad row or value, a missing file, a path outside, an id given twice.
    """
    place = _Place(path.parent, path.parent, allow_outside)
    return _ordered(_entry(row, place) for row in rows_of(path))


def scan_folder(folder: Path, *, allow_outside: bool = False) -> tuple[ClipEntry, ...]:
    """The clips below a folder that has no manifest, sorted by path.

    Files of one stem belong together: .txt is the caption, .wav the sound, .json further fields (as the
    columns of a manifest). Hidden files are left out.

    Args:
        folder: searched with all folders below it.
        allow_outside: whether links and paths may leave it.

    Raises:
        ManifestError: no folder, no clips, two clips of one stem, or a side file that cannot be used.
    """
    if not folder.is_dir():
        raise ManifestError(f"{folder}:1: there is no such folder; check the path")
    videos = [
        p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file()
    ]
    if not videos:
        raise ManifestError(f"{folder}:1: holds no {', '.join(SUFFIXES)} file; name a folder of clips")
    return _ordered(_scanned(video, folder, allow_outside=allow_outside) for video in videos)


def _scanned(video: Path, folder: Path, *, allow_outside: bool) -> ClipEntry:
    sides = {suffix: video.with_suffix(suffix) for suffix in (".json", ".txt", ".wav")}
    row = json_object(sides[".json"]) if sides[".json"].is_file() else Row(f"{video}:1", {})
    values = dict(row.values)
    found = {"video": video.name}
    if sides[".txt"].is_file():
        found["caption"] = text_of(sides[".txt"]).strip()
    if sides[".wav"].is_file():
        found["audio"] = sides[".wav"].name
    for name, value in found.items():
        given = [alias for alias in ALIASES[name] if alias in values]
        if given:
            raise ManifestError(
                f"{row.where}: {given[0]} stands here and is {value!r} by a file's name; keep one"
            )
        values[ALIASES[name][0]] = value
    return _entry(Row(row.where, values), _Place(video.parent, folder, allow_outside))


def _entry(row: Row, place: _Place) -> ClipEntry:
    fields = Fields(row)
    failure = fields.failure()
    if fields.column("video") is None and failure is None:
        names = ", ".join(ALIASES["video"])
        raise fields.error(f"no video; one of the columns {names} names it, or failed says why there is none")
    video = place.find(fields, "video", needed=failure is None)
    name = fields.text("id") or _default_id(video, place.root)
    if name is None:
        raise fields.error("a failed clip without a file needs an id")
    start_s, end_s = fields.seconds("start"), fields.seconds("end")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise fields.error(f"the clip ends at {end_s:g} s, before it starts")
    return ClipEntry(
        id=name,
        where=row.where,
        video=video,
        audio=place.find(fields, "audio", needed=failure is None),
        caption=fields.text("caption"),
        transcript=fields.text("transcript"),
        phonemes=fields.words("phonemes"),
        identity=fields.text("identity"),
        voice=fields.text("voice"),
        speaker=fields.text("speaker") or _speaker_folder(video, place.root),
        seed=fields.whole("seed", 0),
        prompt_id=fields.text("prompt_id"),
        chunk_frames=fields.whole("chunk_frames", 1),
        timings=fields.timings(),
        runtime=fields.runtime(),
        face_boxes=fields.face_boxes(),
        reference_image=place.find(fields, "reference_image", needed=failure is None),
        target=place.find(fields, "target", needed=failure is None),
        failed=failure is not None,
        failed_reason=failure or "",
        start_s=start_s,
        end_s=end_s,
        fps=fields.rate("fps"),
        split=fields.text("split"),
        license=fields.text("license"),
        offset_s=fields.number("offset_sec"),
        meta=fields.rest(),
    )


def _default_id(video: Path | None, root: Path) -> str | None:
    if video is None:
        return None
    inside = video.relative_to(root) if video.is_relative_to(root) else video
    return inside.with_suffix("").as_posix()


def _speaker_folder(video: Path | None, root: Path) -> str | None:
    if video is None or not video.is_relative_to(root):
        return None
    above = [folder.name for folder in video.relative_to(root).parents]
    return next((name for name in above if SPEAKER_FOLDER.fullmatch(name)), None)


def _ordered(entries: Iterable[ClipEntry]) -> tuple[ClipEntry, ...]:
    first: dict[str, ClipEntry] = {}
    for entry in entries:
        if entry.id in first:
            raise ManifestError(
                f"{entry.where}: id {entry.id!r} stands at {first[entry.id].where} as well; ids must differ"
            )
        first[entry.id] = entry
    return tuple(sorted(first.values(), key=lambda e: (e.video is None, str(e.video or ""), e.id)))
