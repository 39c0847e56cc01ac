"""The folder of results: looked at before any work, so that nobody's results are lost.

Folders are told apart by a hash of where they lie, kept beside the results and not in them: the tables of one
folder are the same wherever it lies, and no path can be read from them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mfbench.errors import UsageError

CLIPS, SUMMARY = "clips.csv", "summary.json"
PLACE = ".folder"  # the hash; without it (results moved, or of an older version) the name has to do


def shown_name(folder: Path) -> str:
    """What a folder is called in its results."""
    return folder.resolve().name


def prepare_out(out: Path, folder: Path) -> None:
    """Make the folder for the results of `folder`; the same folder may be scored again.

    Raises:
        UsageError: if it cannot be written, or holds results of another folder.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
        _check_owner(out, folder)
        (out / PLACE).write_text(_place(folder) + "\n", encoding="ascii")
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written ({error.strerror}); name another folder") from error


def _check_owner(out: Path, folder: Path) -> None:
    owner, place = _owner(out), _place_of_results(out)
    if owner is None:
        return
    if owner != shown_name(folder):
        raise UsageError(
            f"--out {out} holds results of {owner or 'something else'} and would lose them to those of "
            f"{shown_name(folder)}; name another folder, or move them away"
        )
    if place not in (None, _place(folder)):
        raise UsageError(
            f"--out {out} holds results of another folder that is called {owner}, too, or was at another "
            f"place; name another folder for these, or delete {out / PLACE} if it is the same one"
        )


def _place(folder: Path) -> str:
    """Tells where a folder lies without saying it: 16 hexadecimal digits."""
    return hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _place_of_results(out: Path) -> str | None:
    path = out / PLACE
    return path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else None


def _owner(out: Path) -> str | None:
    """Whose results are there: None without any, "" where that cannot be told."""
    summary = out / SUMMARY
    if not summary.exists():
        return "" if (out / CLIPS).exists() else None
    try:
        found = json.loads(summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    name = found.get("folder") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
