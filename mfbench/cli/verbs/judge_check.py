"""Examine the judges that score clips: offsets, strangers, doses, nuisances, floors, six controls.

Each property has a required value; the exit code is 1 if any is missed. The judges are fitted on real
training clips on first use and kept in the cache.

    python -m mfbench judge-check
    python -m mfbench judge-check --out reports/judge
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mfbench.cli.output import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="write judge.json there")
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/judges"), help="where fitted judges are kept"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Check section by section and print."""
    import torch

    from mfbench.bench.judging import judge_check
    from mfbench.bench.judging.kit import load_or_fit
    from mfbench.files import OwnFolder

    torch.set_num_threads(1)
    out = None if arguments.out is None else OwnFolder.claim(arguments.out, "--out")
    kit = load_or_fit(arguments.cache, say)
    say(f"judges {kit.digest}")
    checks = []
    for title, run in judge_check.sections(kit):
        say(f"\n{title}")
        for check in run():
            checks.append(check)
            required = "" if check.required is None else f"{check.bound} {check.required:.4g}"
            mark = "" if check.required is None else "pass" if check.passed else "FAIL"
            say(f"  {mark:4}  {check.value:9.4g}  {required:14}  {check.check}")
    failed = [check for check in checks if not check.passed]
    asked = [check for check in checks if check.required is not None]
    say(f"\n{len(asked) - len(failed)} of {len(asked)} checks passed")
    if out is not None:
        out.publish("judge", {"judge.json": judge_check.card(checks)})
        say(f"written: {out.path / 'judge.json'}")
    return 1 if failed else 0
