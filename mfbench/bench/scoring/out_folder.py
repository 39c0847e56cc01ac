"""The folder of results: looked at before any work, so that nobody's results are lost."""

from __future__ import annotations

import json
from pathlib import Path

from mfbench.errors import UsageError

CLIPS, SUMMARY = "clips.csv", "summary.json"


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
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written ({error.strerror}); name another folder") from error
    owner = _owner(out)
    if owner is not None and owner != shown_name(folder):
        raise UsageError(
            f"--out {out} holds results of {owner or 'something else'} and would lose them to those of "
            f"{shown_name(folder)}; name another folder, or move them away"
        )


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
