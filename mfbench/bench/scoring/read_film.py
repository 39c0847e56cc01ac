"""One film through the default tier: decode, read, every metric of single clips."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from mfbench.bench.judging.kit import FRAME_RATE_HZ
from mfbench.bench.scoring.own_sound import OwnSound
from mfbench.bench.scoring.paired_film import PairedFilm
from mfbench.bench.scoring.paths import shown_file, without_folders
from mfbench.bench.scoring.piece import Features, FilmResult, Piece
from mfbench.bench.scoring.runtime import runtime_pieces
from mfbench.character.identity import IDENTITIES
from mfbench.character.lexicon import WORD_INDEX
from mfbench.character.timeline import Timeline, spoken_script
from mfbench.character.voices import VOICES
from mfbench.clip_spec import ClipSpec
from mfbench.data.manifest import ClipEntry
from mfbench.data.media_facts import MediaError, MediaFacts
from mfbench.data.streaming import Block, Grid, MediaReader, open_media
from mfbench.metrics.base import MeanScores, Metric, Prompts, RatioScores, RootScores, SetMetric
from mfbench.metrics.embedding import WINDOW_S
from mfbench.metrics.film import Film, TooShortError, observe_film
from mfbench.metrics.observe import Observation, Readers
from mfbench.registry import METRICS

GRID = Grid(fps=FRAME_RATE_HZ, size_px=64, sample_rate_hz=ClipSpec.sample_rate_hz, block_s=5.12)
LONGEST_S = 600.0  # tracks of a film are kept until it is scored, some 25 kB per second
EXCERPT = Grid(fps=FRAME_RATE_HZ, size_px=64, sample_rate_hz=ClipSpec.sample_rate_hz, block_s=4.8)
JUMPY_MS = 100.0
LEAST_S = WINDOW_S


def excerpt(path: Path, readers: Readers) -> Observation:
    """The first 4.8 s of a reference film.

    Raises:
        MediaError: if it cannot be read; TooShortError: if it is shorter.
    """
    reader = open_media(path, EXCERPT)
    block = next(iter(reader))
    reader.close()
    if len(block.frames) < EXCERPT.block_frames:
        raise TooShortError(f"{path} is shorter than {EXCERPT.block_s} s, the length of reference clips")
    return observe_film([block], FRAME_RATE_HZ, readers).seen


def read_film(entry: ClipEntry, readers: Readers, reference: Observation | None, root: Path) -> FilmResult:
    """Score one entry; a film that cannot be read is a failed generation, with its reason."""
    file = shown_file(entry, root)
    if entry.failed or entry.video is None:
        return FilmResult(entry.id, file, "failed_generation", entry.failed_reason or "no file")
    pair = PairedFilm(entry.target, GRID, LONGEST_S, readers)
    try:
        reader = _opened(entry, entry.video)
        film = observe_film(pair.passing(_long_enough(reader)), FRAME_RATE_HZ, readers)
        facts = reader.facts
    except MediaError as error:
        reason = without_folders(f"{error.reason}: {error}", entry, root)
        return FilmResult(entry.id, file, "failed_generation", reason)
    except TooShortError as error:
        return FilmResult(entry.id, file, "failed_generation", f"too_short: {error}")
    film = replace(film, seen=pair.beside(replace(film.seen, chunk_s=_chunk_s(entry))))
    prompts = _prompts(entry, film)
    pieces = {
        name: _piece(name, film, facts, entry, reference, prompts)
        for name in METRICS.names()
        if not issubclass(METRICS.get(name), SetMetric)
    }
    pieces |= pair.failed_pieces(lambda text: without_folders(text, entry, root))
    return FilmResult(
        id=entry.id,
        file=file,
        status="ok",
        seconds=film.seen.duration_s,
        is_character=film.is_character,
        pieces=pieces | runtime_pieces(entry, film.seen.duration_s),
        features=_features(film, facts),
        facts=asdict(facts),
        notes=_notes(entry, facts),
    )


def _opened(entry: ClipEntry, video: Path) -> MediaReader | OwnSound:
    if entry.start_s or entry.end_s:
        raise MediaError("start and end are not used in scoring; cut the file", "unreadable")
    reader = open_media(video, GRID, limit_s=LONGEST_S)
    return reader if entry.audio is None else OwnSound(reader, entry.audio, GRID, LONGEST_S)


def _long_enough(reader: MediaReader | OwnSound) -> Iterator[Block]:
    """Its blocks; the readers want more sound than a few frames have."""
    blocks = iter(reader)
    first = next(blocks)
    if len(first.frames) < round(LEAST_S * FRAME_RATE_HZ):
        deque(blocks, maxlen=0)  # what is damaged is damaged first, and short for this reason
        raise TooShortError(f"shorter than {LEAST_S} s")
    yield first
    yield from blocks


def _chunk_s(entry: ClipEntry) -> float | None:
    if entry.chunk_frames is None or entry.fps is None:
        return None
    return entry.chunk_frames / entry.fps


def _prompts(entry: ClipEntry, film: Film) -> Prompts:
    """What was asked for; without a manifest the identity is that of the first second."""
    asked = _index(entry.identity, len(IDENTITIES))
    identity = film.seen.face.identity if asked is None else np.array([asked])
    voice = _index(entry.voice, len(VOICES))
    return Prompts(
        timelines=(_timeline(entry),),
        voice=np.array([-1 if voice is None else voice]),
        identity=identity,
        prompt=np.array([0]),
        seed=np.array([entry.seed or 0]),
    )


def _index(name: str | None, count: int) -> int | None:
    """Of a known character or voice; None where another name or none is given."""
    return int(name) if name is not None and name.isdecimal() and int(name) < count else None


def _timeline(entry: ClipEntry) -> Timeline | None:
    """The transcript as words of the lexicon; None where there is none, or another language is spoken."""
    words = (entry.transcript or "").lower().split()
    if not words or any(word not in WORD_INDEX for word in words):
        return None
    return spoken_script(tuple(WORD_INDEX[word] for word in words), np.random.default_rng(0), 1.0)


def _piece(
    name: str,
    film: Film,
    facts: MediaFacts,
    entry: ClipEntry,
    reference: Observation | None,
    prompts: Prompts,
) -> Piece:
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    missing = _missing(metric, film, facts, entry, reference)
    if missing:
        return Piece("not_applicable", reason=missing)
    try:
        scores = metric.scores(film.seen, reference or film.seen, prompts)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        return Piece("failed_metric", reason=f"{type(error).__name__}: {error}")
    if not scores.usable[0]:
        return Piece("not_applicable", reason="the clip has no value: silent, still, or too short")
    if isinstance(scores, RatioScores):
        root = isinstance(scores, RootScores)
        return Piece("ok", float(scores.numerator[0]), float(scores.denominator[0]), root=root)
    assert isinstance(scores, MeanScores)
    return Piece("ok", float(scores.values[0]))


def _missing(
    metric: Metric, film: Film, facts: MediaFacts, entry: ClipEntry, reference: Observation | None
) -> str:
    """What the metric needs and the film does not have, "" where nothing is missing."""
    lacks = {
        "character": (not film.is_character, "not a face that the readers know"),
        "sound": (not facts.has_audio, "no stream of sound"),
        "words": (_timeline(entry) is None, "no transcript in words of the lexicon"),
        "voice": (_index(entry.voice, len(VOICES)) is None, "no known voice in a manifest"),
        "paired": (film.seen.paired is None, "no target in a manifest, which names the true film"),
        "chunks": (_chunk_s(entry) is None, "no chunk_frames and fps in a manifest"),
        "seeds": (True, "several samples of a prompt are compared over films"),
        "reference": (reference is None, "no reference"),
    }
    found = [lacks[need][1] for need in metric.needs if need in lacks and lacks[need][0]]
    if film.seen.duration_s < metric.least_s - 1e-6:
        found.append(f"{film.seen.duration_s:.2f} s; wanted are at least {metric.least_s:g} s")
    return "; ".join(found)


def _features(film: Film, facts: MediaFacts) -> Features:
    """Embeddings for set metrics; none where the readers do not know the face."""
    if not film.is_character:
        return Features()
    windows = film.seen.windows
    sound = {"audio": windows.audio[0], "joint": windows.joint[0]} if facts.has_audio else {}
    return Features({"video": windows.video[0], **sound})


def _notes(entry: ClipEntry, facts: MediaFacts) -> tuple[str, ...]:
    notes = []
    if entry.audio is not None:
        notes.append(f"sound from {entry.audio.name}")
    if entry.target is not None:
        notes.append(f"compared with {entry.target.name}")
    if not facts.has_audio:
        notes.append("no sound")
    if facts.variable_rate:
        notes.append("variable frame rate")
    if facts.rotation_deg:
        notes.append(f"rotated by {facts.rotation_deg} degrees")
    if facts.source_width_px != facts.source_height_px:
        notes.append(f"centre square of {facts.source_width_px} x {facts.source_height_px}")
    if abs(facts.duration_gap_ms or 0.0) > JUMPY_MS:
        notes.append(f"sound ends {facts.duration_gap_ms:+.0f} ms after the picture")
    if abs(facts.mux_offset_ms or 0.0) > JUMPY_MS:
        notes.append(f"sound starts {facts.mux_offset_ms:+.0f} ms after the picture")
    return (*notes, *facts.damage)
