"""Names of files as the output shows them: never absolute, so that tables can be handed on."""

from __future__ import annotations

from pathlib import Path

from mfbench.data.manifest import ClipEntry


def shown_file(entry: ClipEntry, root: Path) -> str:
    """The film's name below the folder, "" without a film; a film elsewhere has its name alone."""
    if entry.video is None:
        return ""
    return entry.video.relative_to(root).as_posix() if entry.video.is_relative_to(root) else entry.video.name


def without_folders(text: str, entry: ClipEntry, root: Path) -> str:
    """A message with the names of the entry's files instead of their paths."""
    named = (entry.video, entry.audio, entry.reference_image, entry.target)
    files = [file for file in named if file is not None]
    for file in files:
        text = text.replace(str(file), file.relative_to(root).as_posix() if _below(file, root) else file.name)
    for folder in {*(file.parent for file in files), root, root.resolve()}:
        text = text.replace(f"{folder}/", "") if folder != Path() else text
    return text


def _below(file: Path, root: Path) -> bool:
    return file.is_relative_to(root)
