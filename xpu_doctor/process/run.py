"""Runs one program to its end or to its deadline: the one way to start a program whose answer is its output."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xpu_doctor.process.account import Account
from xpu_doctor.process.child import Child
from xpu_doctor.process.output import Keep

OUTPUT_LIMIT = 256 * 1024
"""Bytes kept of each stream, from its beginning, unless the caller needs more."""


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it printed until then."""

    code: int | None
    """Its exit code, negative for a signal; None where it had to be ended."""
    stdout: str
    stderr: str


def run(
    arguments: Sequence[str],
    seconds: float,
    environment: Mapping[str, str],
    *,
    folder: str | None = None,
    account: Account | None = None,
    mark: str = "",
    limit: int = OUTPUT_LIMIT,
) -> Ended:
    """Run a program in a session or Job Object of its own; at the deadline, or after its end, all that it started is ended.

    With a `mark`, processes that left its session are found by it and ended too, which takes a look at every process.

    Raises:
        OSError: the program cannot be started.
    """
    try:
        child = Child(arguments, environment, mark, folder, account=account, keep=Keep(limit, 0), apart=True)
    except (ValueError, subprocess.SubprocessError) as error:  # a NUL in an argument; rights that cannot be given
        raise OSError(str(error)) from error
    try:
        in_time = child.wait(seconds)
    finally:
        code, stdout, _ = child.end()
    return Ended(code if in_time else None, stdout, child.errors())
