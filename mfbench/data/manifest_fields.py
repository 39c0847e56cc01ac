"""Names that peers use for the fields of a clip, and their values, checked.

The names are those of the manifests of JavisDiT, LTX-2, DiffSynth, Hugging Face's VideoFolder, TalkVid and
CelebV-HQ, and the runtime keys of StreamAV-Bench.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mfbench.data.manifest_rows import ManifestError, Row

ALIASES: dict[str, tuple[str, ...]] = {
    "video": ("video", "path", "video_path", "file_name", "media_path", "relpath"),
    "audio": ("audio", "audio_path", "input_audio"),
    "caption": ("text", "caption", "prompt", "description", "long_caption"),
    "transcript": ("transcript", "speech", "asr"),
    "identity": ("identity",),
    "speaker": ("speaker", "id_speaker", "Person ID", "identity"),
    "start": ("start", "start_sec", "start-time", "start_time"),
    "end": ("end", "end_sec", "end-time", "end_time"),
    "face_boxes": ("face_boxes", "bbox", "crop", "face_bbox"),
    "reference_image": ("reference_image", "ref_image", "input_image"),
}  # a field goes by its own name, too; one without an entry by that alone
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class FaceBox:
    """A rectangle around a face; `unit` is "share" of the picture's sides (0 to 1) or "px" as stored."""

    left: float
    top: float
    right: float
    bottom: float
    unit: Literal["share", "px"]


@dataclass(frozen=True)
class Timings:
    """When a clip was asked for and when its chunks were ready, in seconds of one clock."""

    request_s: float
    chunk_ready_s: tuple[float, ...] | None


@dataclass(frozen=True)
class Runtime:
    """What StreamAV-Bench records of a generation."""

    generated_frames: int | None
    generation_s: float | None
    first_chunk_s: float | None


class Fields:
    """Takes the fields of a row by any of their names; the first name that has a value wins."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self._taken: set[str] = set()

    def error(self, message: str) -> ManifestError:
        """To be raised: the message with the row's file and line."""
        return ManifestError(f"{self.row.where}: {message}")

    def column(self, field: str) -> str | None:
        """The column that gives a field."""
        return next((name for name in ALIASES.get(field, (field,)) if name in self.row.values), None)

    def text(self, field: str) -> str | None:
        """Text, or a whole number (an id) as text."""
        value = self._take(field)
        if value is None or isinstance(value, str):
            return value.strip() or None if isinstance(value, str) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(field, "text", value)

    def number(self, field: str) -> float | None:
        """A finite number."""
        value = self._take(field)
        return None if value is None else self._number(field, value)

    def rate(self, field: str) -> float | None:
        """A number above 0."""
        number = self.number(field)
        if number is not None and number <= 0:
            raise self._wrong(field, "above 0", number)
        return number

    def whole(self, field: str, at_least: int) -> int | None:
        """A whole number."""
        value = self._take(field)
        if value is None:
            return None
        number = self._number(field, value)
        if number != int(number) or number < at_least:
            raise self._wrong(field, f"a whole number of at least {at_least}", value)
        return int(value) if isinstance(value, str | int) and _is_digits(str(value)) else int(number)

    def seconds(self, field: str) -> float | None:
        """Seconds from 0 on, as a number or as [hh:]mm:ss."""
        value = self._take(field)
        if isinstance(value, str) and ":" in value:
            parts = [self._number(field, part) for part in value.split(":")]
            value = sum(part * 60.0**power for power, part in enumerate(reversed(parts)))
        if value is None:
            return None
        number = self._number(field, value)
        if number < 0:
            raise self._wrong(field, "seconds from 0 on", value)
        return number

    def words(self, field: str) -> tuple[str, ...] | None:
        """A list of texts, or a text with spaces between them."""
        value = self._structure(field)
        words = value.split() if isinstance(value, str) else value
        if words is None:
            return None
        if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
            raise self._wrong(field, "a list of texts", value)
        return tuple(words)

    def failure(self) -> str | None:
        """Why the generation failed, "" if no reason is given, `None` if it did not."""
        value, reason = self._take("failed"), self.text("failed_reason")
        said = "" if value is None else str(value).strip()
        if isinstance(value, list | dict):
            raise self._wrong("failed", "true, false or the reason", value)
        if said.lower() in NO:
            if reason is not None:
                raise self.error(f"failed is {said} and failed_reason says {reason!r}; keep one")
            return None
        if said.lower() in ("", *YES):
            return reason or ("" if said else None)
        return said

    def timings(self) -> Timings | None:
        """Of an object {t_request, chunk_ready}."""
        value = self._structure("timings")
        if value is None:
            return None
        if (
            not isinstance(value, dict)
            or "t_request" not in value
            or set(value) - {"t_request", "chunk_ready"}
        ):
            raise self._wrong("timings", '{"t_request": seconds, "chunk_ready": [seconds, ...]}', value)
        request_s = self._number("timings", value["t_request"])
        ready = value.get("chunk_ready")
        if ready is None:
            return Timings(request_s, None)
        if not isinstance(ready, list):
            raise self._wrong("timings", "a list as chunk_ready", ready)
        times = [self._number("timings", time) for time in ready]
        if not times or times != sorted(times) or times[0] < request_s:
            raise self._wrong("timings", "chunk_ready after t_request, in rising order", value)
        return Timings(request_s, tuple(times))

    def runtime(self) -> Runtime | None:
        """The keys of StreamAV-Bench as columns of the row."""
        found = Runtime(
            self.whole("generated_video_frames", 1),
            self.seconds("generation_time_seconds"),
            self.seconds("time_to_first_chunk_seconds"),
        )
        return None if found == Runtime(None, None, None) else found

    def face_boxes(self) -> tuple[FaceBox, ...] | None:
        """One box or one per frame: {top, left, bottom, right} or [x0, y0, x1, y1]."""
        value = self._structure("face_boxes")
        if value is None:
            return None
        several = isinstance(value, list) and bool(value) and isinstance(value[0], list | dict)
        return tuple(self._box(item) for item in (value if several and isinstance(value, list) else [value]))

    def rest(self) -> dict[str, object]:
        """Columns that no field has taken."""
        return {name: value for name, value in self.row.values.items() if name not in self._taken}

    def _take(self, field: str) -> object | None:
        name = self.column(field)
        if name is None:
            return None
        self._taken.add(name)
        return self.row.values[name]

    def _structure(self, field: str) -> object | None:
        """A value that a cell of a table writes as json."""
        value = self._take(field)
        if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
            try:
                return json.loads(value)  # type: ignore[no-any-return]
            except (ValueError, RecursionError) as error:
                raise self._wrong(field, "json", value) from error
        return value

    def _box(self, value: object) -> FaceBox:
        sides: Sequence[object] = ()
        if isinstance(value, dict):
            sides = [value.get(name) for name in ("left", "top", "right", "bottom")]
        elif isinstance(value, list):
            sides = value
        if len(sides) != 4 or None in sides:
            raise self._wrong("face_boxes", "[x0, y0, x1, y1] or {top, left, bottom, right}", value)
        left, top, right, bottom = (self._number("face_boxes", side) for side in sides)
        if not (0 <= left < right and 0 <= top < bottom):
            raise self._wrong("face_boxes", "0 <= left < right and 0 <= top < bottom", value)
        return FaceBox(left, top, right, bottom, "share" if max(right, bottom) <= 1 else "px")

    def _number(self, field: str, value: object) -> float:
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            raise self._wrong(field, "a number", value)
        return number

    def _wrong(self, field: str, wanted: str, value: object) -> ManifestError:
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
        return self.error(f"{self.column(field) or field} is {shown} and must be {wanted}")


def _is_digits(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()
