"""`python -m mfbench` and the `mfbench` command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mfbench.processes import settle_user


def main() -> int:
    """Forbid pickles in checkpoints before anything can import torch, then run the command line."""
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    settle_user()
    if str(Path.cwd()) not in sys.path:  # the installed command lacks what `python -m` adds
        sys.path.insert(0, str(Path.cwd()))
    from mfbench import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
