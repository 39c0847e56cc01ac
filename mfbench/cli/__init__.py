"""The command line: parse, call, print. One module per verb in `verbs`; nothing heavy is imported here."""

from __future__ import annotations

import argparse
import errno
import importlib
import pkgutil
import signal
import sys
from functools import partial
from types import ModuleType
from typing import NoReturn

from mfbench.cli import verbs
from mfbench.errors import RunError, UserError
from mfbench.files import NO_SPACE

EPILOG = """\
exit codes: 0 all good; 1 some cells failed or a check failed; 2 usage or config, nothing ran;
3 preflight failed; 4 corrupt results found; 130 interrupted (state is kept, the same command continues)
"""
INTERRUPTED = 130
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; user errors become one line on stderr."""
    try:
        arguments = build_parser().parse_args(argv)
        signal.signal(signal.SIGTERM, _interrupt)
        return int(arguments.execute(arguments))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command continues\n")
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except UserError as error:
        sys.stderr.write(f"mfbench: {error}\n")
        return error.exit_code
    except OSError as error:
        if error.errno not in (*NO_SPACE, *NOT_ALLOWED):
            raise
        place = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"mfbench: {place}{error.strerror}; mend that, then the same command continues\n")
        return RunError.exit_code


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb found in `mfbench.cli.verbs`."""
    parser = argparse.ArgumentParser(
        prog="mfbench",
        description="Benchmark of fast autoregressive audio-video generation.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(metavar="VERB", required=True)
    for module in _verbs():
        text = (module.__doc__ or "").strip()
        name = module.__name__.rpartition(".")[2].rstrip("_").replace("_", "-")
        add = partial(
            subparsers.add_parser,
            name,
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb = add() if getattr(module, "HIDDEN", False) else add(help=text.split("\n")[0].rstrip("."))
        module.configure(verb)
        verb.set_defaults(execute=module.execute)
    return parser


def _verbs() -> list[ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(verbs.__path__)]
    return [importlib.import_module(f"{verbs.__name__}.{name}") for name in names]


def _interrupt(number: int, frame: object) -> NoReturn:  # noqa: ARG001  # the signature of a handler
    raise KeyboardInterrupt
