"""Files and folders of ours: files appear whole or not at all, and nobody else's is ever replaced or deleted.

A file is written beside its place and renamed. A folder is ours when it is new, empty, or holds the list of
what we wrote there, `LIST`; then only the files of that list are replaced or go.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mfbench.errors import PreflightError, UsageError

LIST = ".mfbench-files.json"
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
FREE_MB = 8  # what a folder of pages and tables wants
_PART = re.compile(r"\.part-(\d+)-(.+)")


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name to write under; the file takes its place, in one rename, once it is complete."""
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write(path: Path, content: str | bytes) -> None:
    """Write a file in one step; text as UTF-8."""
    with beside(path) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def sweep(folder: Path) -> None:
    """Remove half files of processes that are gone."""
    for path in folder.glob(".part-*"):
        found = _PART.fullmatch(path.name)
        if found and not _alive(int(found.group(1))) and (path.is_file() or path.is_symlink()):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def check_writable(folder: Path, what: str, free_mb: int = FREE_MB) -> None:
    """Make a folder and see that it takes files, before any work.

    Args:
        folder: to be written.
        what: how the user named it, such as `--out`.
        free_mb: space that must be left on its disk.

    Raises:
        UsageError: where it is no folder or cannot be written.
        PreflightError: where its disk is full.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{what} {folder} cannot be written (it is a file, wanted is a folder); name another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".part-{os.getpid()}-probe"
        probe.write_bytes(b"\0")
        probe.unlink()
        left_mb = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        if error.errno in NO_SPACE:
            raise PreflightError(f"the disk of {what} {folder} is full; free some or name another") from error
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{what} {folder} cannot be written ({reason}); name another folder") from error
    if left_mb < free_mb:
        raise PreflightError(
            f"the disk of {what} {folder} has {left_mb} MB left, wanted are {free_mb} MB; "
            "free some or name another folder"
        )


@dataclass
class OwnFolder:
    """A folder whose list of our files is kept; made by `claim`.

    Attributes:
        path: of the folder.
        what: how the user named it.
        lists: names of our files by who wrote them (`page`, `score`, ...), relative, with `/`.
        broken: whether the list was there and could not be read; then what we write is taken for ours.
    """

    path: Path
    what: str
    lists: dict[str, list[str]] = field(default_factory=dict)
    broken: bool = False

    @classmethod
    def claim(cls, path: Path, what: str, inputs: Collection[str] = ()) -> OwnFolder:
        """Look at a folder before any work.

        Args:
            path: of the folder; made where it is missing.
            what: how the user named it, such as `--out`.
            inputs: names in it that the work reads, and that may therefore be there.

        Raises:
            UsageError: where it holds files that are not ours, or cannot be written.
            PreflightError: where its disk is full.
        """
        found = cls(path, what)
        if path.is_dir():
            found._read()
            others = [name for name in _names(path) if name not in inputs]
            if others and not (path / LIST).is_file():
                raise UsageError(
                    f"{what} {path} holds {_some(others)} and no list of what mfbench wrote there; nothing "
                    "is overwritten: name a new or an empty folder, or move them away"
                )
        check_writable(path, what)
        sweep(path)
        return found

    def publish(self, owner: str, files: Mapping[str, str | bytes]) -> None:
        """Write files, each in one step; what the owner wrote earlier and does not write now goes.

        The list names a file before the file is there, so a kill at any moment leaves nothing unlisted.

        Raises:
            UsageError: where a file that is not ours has one of the names.
        """
        self.announce(owner, list(files))
        for name, content in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            write(place, content)
        self.retire(owner, files)

    def announce(self, owner: str, names: Sequence[str]) -> None:
        """Add files to the list that are about to be written.

        Raises:
            UsageError: where a file that is not ours has one of the names.
        """
        there = [name for name in names if os.path.lexists(self._inside(name))]
        self._read()  # after the look: another process lists a file before it writes it
        listed = {name for written in self.lists.values() for name in written}
        foreign = [name for name in there if name not in listed]
        if foreign and not self.broken:
            raise UsageError(
                f"{self.what} {self.path} holds {_some(foreign)}, which mfbench did not write and would have "
                "to replace; nothing is overwritten: move it away, or name another folder"
            )
        self.lists[owner] = sorted({*self.lists.get(owner, []), *names})
        self._write()
        self.broken = False

    def retire(self, owner: str, kept: Collection[str]) -> None:
        """Delete an owner's files but the kept ones, and list these alone."""
        others = {name for who, names in self.lists.items() if who != owner for name in names}
        for name in set(self.lists.get(owner, [])) - set(kept) - others:
            with suppress(IsADirectoryError, NotADirectoryError):
                self._inside(name).unlink(missing_ok=True)
        self.lists[owner] = sorted(set(kept))
        self._write()

    def _inside(self, name: str) -> Path:
        """The path of a listed name.

        Raises:
            UsageError: where it would lead out of the folder.
        """
        place, parent = self.path / name, (self.path.resolve() / name).parent
        if not _is_safe(name) or parent.resolve() != parent:
            raise UsageError(
                f"{self.what} {self.path}: {name} leads to another folder; nothing is written or deleted "
                "there: replace the link by a folder, or name another one"
            )
        return place

    def _read(self) -> None:
        path = self.path / LIST
        if not path.is_file():
            return
        try:
            written = json.loads(path.read_text(encoding="utf-8"))
            lists = {str(owner): [str(name) for name in names] for owner, names in written.items()}
            if not all(_is_safe(name) for names in lists.values() for name in names):
                raise ValueError("a name leads out of the folder")
        except (OSError, ValueError, AttributeError, TypeError):
            self.broken = True
            logging.getLogger(__name__).warning("%s is damaged and is written anew", path)
        else:
            self.lists = lists

    def _write(self) -> None:
        kept = {owner: names for owner, names in sorted(self.lists.items()) if names}
        write(self.path / LIST, json.dumps(kept, indent=1) + "\n")


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts and "\0" not in name


def _names(folder: Path) -> list[str]:
    """What lies in a folder, half files left out."""
    return sorted(path.name for path in folder.iterdir() if not _PART.fullmatch(path.name))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
