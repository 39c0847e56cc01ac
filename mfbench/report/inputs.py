"""Whether a report is still what its records give, so that an unchanged one is not drawn again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from mfbench.files import OwnFolder
from mfbench.report.judge_card import card_path

STAMP = "built_from.json"
NAMES = ("records", "media", "experiment.json", "judge.json")  # what a report is made of


def key(run_dirs: Sequence[Path], out_dir: Path) -> str:
    """Digest of all that a report is made of: records, settings, media, the judges' card, code that draws."""
    digest = hashlib.sha256()
    for folder in run_dirs:
        root = folder.parent if folder.resolve().name == "records" else folder
        paths = [
            root / "experiment.json",
            *sorted((root / "records").glob("*.json")),
            *sorted(folder.glob("*.json")),
        ]
        paths += sorted((root / "media").rglob("*.mp4"))
        _add(digest, root, paths)
    card = card_path((*run_dirs, out_dir))
    if card is not None:
        _add(digest, card.parent, [card])
    _add(digest, Path(__file__).parent, sorted(Path(__file__).parent.glob("*.py")))
    return digest.hexdigest()


def is_current(folder: OwnFolder, wanted: str) -> bool:
    """Whether the report in a folder was built from `wanted` and none of its files has changed since."""
    path = folder.path / STAMP
    if not path.is_file():
        return False
    try:
        written = path.read_text(encoding="utf-8")
        names = json.loads(written)["files"]
        ours = {name: (folder.path / name).read_bytes() for name in folder.lists["page"] if name != STAMP}
    except (OSError, ValueError, KeyError, TypeError):
        logging.getLogger(__name__).warning("%s or what it lists is damaged; the report is made anew", path)
        return False
    return set(names) == set(ours) and written == stamp(wanted, ours)


def stamp(built: str, files: Mapping[str, str | bytes]) -> str:
    """The stamp of a report: what it was built from, and a digest of each of its files."""
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    return json.dumps({"inputs": built, "files": hashes}, indent=1, sort_keys=True) + "\n"


def _add(digest: hashlib._Hash, root: Path, paths: Sequence[Path]) -> None:
    for path in dict.fromkeys(paths):
        if path.is_file():
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
