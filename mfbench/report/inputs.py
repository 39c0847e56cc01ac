"""Whether a report is still what its records give, so that an unchanged one is not drawn again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from mfbench.report.judge_card import card_path

STAMP = "built_from.json"


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


def is_current(out_dir: Path, wanted: str) -> bool:
    """Whether the report in `out_dir` was built from `wanted` and none of its files has changed since."""
    stamp = out_dir / STAMP
    if not stamp.is_file():
        return False
    written = json.loads(stamp.read_text(encoding="utf-8"))
    return bool(written == _stamp(out_dir, wanted))


def remember(out_dir: Path, built: str) -> None:
    """Write the stamp of a report that has just been built."""
    text = json.dumps(_stamp(out_dir, built), indent=1, sort_keys=True) + "\n"
    (out_dir / STAMP).write_text(text, encoding="utf-8")


def _stamp(out_dir: Path, built: str) -> dict[str, object]:
    files = [path for path in sorted(out_dir.rglob("*")) if path.is_file() and path.name != STAMP]
    hashes = {p.relative_to(out_dir).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    return {"inputs": built, "files": hashes}


def _add(digest: hashlib._Hash, root: Path, paths: Sequence[Path]) -> None:
    for path in dict.fromkeys(paths):
        if path.is_file():
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
