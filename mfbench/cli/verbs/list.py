"""List registered methods, worlds, codecs, metrics and executors, read without importing them."""

from __future__ import annotations

import argparse
import json

from mfbench.cli.output import say, table

KINDS = ("methods", "worlds", "codecs", "metrics", "executors")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("kind", nargs="?", choices=KINDS, help="all kinds if left out")
    parser.add_argument("--import", action="append", default=[], dest="imports", metavar="MODULE")
    parser.add_argument("--json", action="store_true", help="machine-readable")


def execute(arguments: argparse.Namespace) -> int:
    """List and print; methods include those of the `baselines` beside mfbench."""
    from mfbench.declarations import LOCATIONS, declared
    from mfbench.sources import find_module

    known = [package for package in (*LOCATIONS.values(), "baselines") if find_module(package) is not None]
    found = declared([*known, *arguments.imports])
    wanted = [arguments.kind] if arguments.kind else list(KINDS)
    items = [
        {"kind": item.kind, "name": item.name, "origin": item.origin, "summary": item.summary}
        for kind in wanted
        for item in found
        if item.kind == kind
    ]
    if arguments.json:
        say(json.dumps(items, indent=1))
    else:
        rows = [(item["kind"], item["name"], item["origin"], item["summary"]) for item in items]
        say(table(("kind", "name", "origin", "summary"), rows))
    return 0
