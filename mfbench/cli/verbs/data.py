"""Look at and listen to the talking character.

python -m mfbench data preview --out preview
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mfbench.cli.output import say, seconds, whole


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb and of its one action."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    preview = actions.add_parser("preview", help="write mp4 clips, a contact sheet and a spectrogram")
    preview.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    preview.add_argument("--clips", type=whole(6, 10**5), default=6, metavar="N", help="at least 6 (6)")
    preview.add_argument("--seconds", type=seconds, default=5.12, help="length of a clip (5.12)")
    preview.add_argument(
        "--size", type=whole(32, 4096), default=256, help="side of the frames in pixels (256)"
    )
    preview.add_argument("--seed", type=whole(0), default=0, help="of the world (0)")


def execute(arguments: argparse.Namespace) -> int:
    """Write the preview and name its files."""
    from mfbench.data.preview import preview
    from mfbench.errors import UsageError

    try:
        written = preview(
            arguments.out,
            clips=arguments.clips,
            seconds=arguments.seconds,
            size_px=arguments.size,
            seed=arguments.seed,
        )
    except OSError as error:
        raise UsageError(
            f"cannot write in {arguments.out} ({error.strerror}); choose another --out"
        ) from error
    for path in written:
        say(str(path))
    return 0
