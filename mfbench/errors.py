"""Errors that end a command with one clean message and an exit code instead of a traceback."""

from __future__ import annotations


class UserError(Exception):
    """What came, what was wanted, what to do; `exit_code` is what the command line returns."""

    exit_code = 2


class UsageError(UserError):
    """A wrong argument or experiment file; nothing ran."""


class PreflightError(UserError):
    """A check before any work failed: an import, a metric's self-test, disk space."""

    exit_code = 3


class CorruptError(UserError):
    """A finished result no longer is what was published."""

    exit_code = 4


class RunError(UserError):
    """The run could not go on, for instance because the disk is full."""

    exit_code = 1
