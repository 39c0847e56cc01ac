"""The folder of results: looked at before any work, so that nobody's results are lost.

Folders are told apart by a hash of where they lie, kept beside the results and not in them: the tables of one
folder are the same wherever it lies, and no path can be read from them.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from mfbench.errors import UsageError
from mfbench.files import OwnFolder, write

CLIPS, SUMMARY = "clips.csv", "summary.json"
PLACE = ".folder"  # the hash; without it (results moved) the name has to do
JOURNAL = ".films.jsonl"
OWNER = "score"


def shown_name(folder: Path) -> str:
    """What a folder is called in its results."""
    return folder.resolve().name


def prepare_out(out: Path, folder: Path) -> OwnFolder:
    """Make the folder for the results of `folder`; the same folder may be scored again.

    Raises:
        UsageError: if it cannot be written, or holds files of the user or results of another folder.
        PreflightError: if its disk is full.
    """
    found = OwnFolder.claim(out, "--out")
    _check_owner(out, folder)
    found.announce(OWNER, [PLACE, JOURNAL, CLIPS, SUMMARY])
    write(out / PLACE, _place(folder) + "\n")
    return found


def _check_owner(out: Path, folder: Path) -> None:
    place, owner = _place_of_results(out), _owner(out)
    if place == _place(folder) or not any((out / name).exists() for name in (SUMMARY, CLIPS, JOURNAL)):
        return
    if owner not in (None, shown_name(folder)):
        raise UsageError(
            f"--out {out} holds results of {owner} and would lose them to those of {shown_name(folder)}; "
            "name another folder, or move them away"
        )
    if place is not None:
        raise UsageError(
            f"--out {out} holds results of another folder that is called {owner or 'the same'}, too, or was "
            f"at another place; name another folder for these, or delete {out / PLACE} if it is the same one"
        )


def _place(folder: Path) -> str:
    """Tells where a folder lies without saying it: 16 hexadecimal digits."""
    return hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _place_of_results(out: Path) -> str | None:
    """None where it is not there or damaged."""
    path = out / PLACE
    text = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""
    return text if re.fullmatch(r"[0-9a-f]{16}", text) else None


def _owner(out: Path) -> str | None:
    """Whose results are there; None where that cannot be told."""
    try:
        found = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = found.get("folder") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None
