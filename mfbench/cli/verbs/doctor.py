"""Which metrics of the field's models can be measured here: packages, weights, licences, how to get them.

Without --weights it only lists; with it, every file that weights.yaml names is checked and its model loaded.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfbench.cli.output import say

if TYPE_CHECKING:
    from mfbench.metrics.full.base import Adapter, WeightFile
    from mfbench.metrics.full.weights import GivenWeights

USABLE, NOT_NAMED = "usable", "not given"
LATER_TEXT = "place kept, not yet available"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--weights", type=Path, metavar="weights.yaml", help="which file holds which weights")
    parser.add_argument(
        "--digest", type=Path, metavar="PATH", help="print the sha256 of a file or folder, no more"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")


def execute(arguments: argparse.Namespace) -> int:
    """Diagnose and print; 0 where everything named in weights.yaml is usable."""
    if arguments.digest is not None:
        return _digest(arguments.digest)
    found, problems = _given(arguments.weights)
    facts: dict[str, Any] = {"adapters": _adapters(found, problems), "later": _later(), "problems": problems}
    say(json.dumps(facts, indent=1) if arguments.json else _text(facts))
    named = [f["weights"] for item in facts["adapters"] for f in item["files"] if f["weights"] != NOT_NAMED]
    return int(bool(problems) or any(state != USABLE for state in named))


def _digest(path: Path) -> int:
    from mfbench.errors import UsageError
    from mfbench.metrics.full.weights import digest

    if not path.exists():
        raise UsageError(f"--digest {path}: there is no such file or folder")
    say(digest(path))
    return 0


def _given(weights: Path | None) -> tuple[dict[str, GivenWeights], dict[str, str]]:
    """Entries of weights.yaml that are well formed, and by key what is wrong with the others."""
    if weights is None:
        return {}, {}
    from mfbench.metrics.full.weights import WeightsError, entries, given

    found, problems = {}, {}
    for key, entry in entries(weights).items():
        try:
            found[key] = given(key, entry, weights.parent)
        except WeightsError as error:
            problems[key] = str(error)
    return found, problems


def _adapters(found: Mapping[str, GivenWeights], problems: Mapping[str, str]) -> list[dict[str, Any]]:
    from mfbench.metrics.full import ADAPTERS, adapter

    return [_facts(adapter(name), found, problems) for name in ADAPTERS]


def _facts(
    kind: type[Adapter], found: Mapping[str, GivenWeights], problems: Mapping[str, str]
) -> dict[str, Any]:
    from mfbench.metrics.full.packages import INSTALL, installed

    return {
        "name": kind.name,
        "version": kind.version,
        "summary": (kind.__doc__ or "").split("\n")[0],
        "metrics": list(kind.names()),
        "protocol": kind.protocol,
        "packages": {name: "installed" if installed(name) else INSTALL for name in kind.packages},
        "files": [
            {
                "key": file.key,
                "file": file.file,
                "what": file.what,
                "weights": _state(kind, file, found, problems),
                "code_licence": file.code_licence,
                "weights_licence": file.weights_licence,
                "how": file.how,
            }
            for file in kind.weight_files
        ],
    }


def _state(
    kind: type[Adapter], file: WeightFile, found: Mapping[str, GivenWeights], problems: Mapping[str, str]
) -> str:
    """What became of one file: usable, not named, or the reason why not."""
    from mfbench.errors import UserError
    from mfbench.metrics.full.weights import open_adapter

    if file.key in problems:
        return problems[file.key]
    if file.key not in found:
        return NOT_NAMED
    try:
        open_adapter(kind.name, found)
    except UserError as error:
        return str(error)
    return USABLE


def _later() -> list[dict[str, Any]]:
    from mfbench.metrics.full import LATER

    return [{"name": name, "metrics": list(names), "state": LATER_TEXT} for name, names in LATER.items()]


def _text(facts: Mapping[str, Any]) -> str:
    lines = [line for item in facts["adapters"] for line in [*_block(item), ""]]
    lines += [f"{item['name']}: {', '.join(item['metrics'])} ({item['state']})" for item in facts["later"]]
    known = {file["key"] for item in facts["adapters"] for file in item["files"]}
    lines += [f"problem: {text}" for key, text in facts["problems"].items() if key not in known]
    return "\n".join(lines)


def _block(item: Mapping[str, Any]) -> list[str]:
    packages = ", ".join(f"{name} ({state})" for name, state in item["packages"].items())
    lines = [
        f"{item['name']}: {', '.join(item['metrics'])}",
        _line("package", packages or "none beyond mfbench"),
    ]
    for file in item["files"]:
        lines += [
            _line("weights", f"{file['key']}: {file['weights']}"),
            _line("file", f"{file['file']} ({file['what']})"),
            _line("licence", f"code {file['code_licence']}; weights {file['weights_licence']}"),
            _line("get it", file["how"]),
        ]
    return lines


def _line(name: str, text: str) -> str:
    return f"  {name:<9}{text}"
