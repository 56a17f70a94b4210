"""Options of a check that is one of many: what its files are called, when it begins, how long it takes, what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

from xpu_doctor.cli.options import check_outputs

if TYPE_CHECKING:
    from xpu_doctor.process.time_limit import TimeLimit
    from xpu_doctor.text.output_name import Value

LONGEST = click.FloatRange(min=0.1, max=86400)
WAIT = click.FloatRange(min=0, max=86400)
NAMELESS = frozenset({"", "localhost", "localhost.localdomain", "(none)"})
"""Names that many machines have."""
KEY = "XPU_DOCTOR_NODE_KEY"
"""The variable with the secret from which aliases are made."""
OPTIONS = (
    click.option(
        "-q", "--quiet", is_flag=True, help="Print nothing but errors; the exit code and the files of -o speak."
    ),
    click.option(
        "--deadline",
        type=LONGEST,
        metavar="SECONDS",
        help="Deadline of the whole examination: what is not done by then is unknown, and the report is written.",
    ),
    click.option(
        "--jitter",
        type=WAIT,
        metavar="SECONDS",
        help="Wait before the start, at random up to so long, so that many nodes do not start at once.",
    ),
    click.option(
        "--once-per-node",
        is_flag=True,
        help="Where a launcher starts several processes on a node, one of them does it; the others end at once with exit code 0.",
    ),
    click.option(
        "--host-name",
        type=click.Choice(["hide", "keep", "alias"]),
        help="Name of this machine in the report's field `node`: left out (default), as it is, or an alias made with the secret in XPU_DOCTOR_NODE_KEY.",
    ),
)


@dataclass(frozen=True)
class OneOfMany:
    """How a check behaves among many."""

    quiet: bool
    deadline: float | None
    jitter: float | None
    once_per_node: bool
    host_name: str | None

    def files(self, outputs: tuple[str, ...], variables: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Return the names of the files with their placeholders filled in.

        Raises:
            click.UsageError: a placeholder is unknown or has no value here, or stdout is asked for and forbidden.
        """
        from xpu_doctor.text.output_file import OutputError, is_stdout

        if self.quiet and any(is_stdout(path) for path in outputs):
            raise click.UsageError("--quiet prints nothing, and -o - prints the report: leave one of the two out")
        if not any("{" in path or "}" in path for path in outputs):
            return outputs
        from xpu_doctor.text.output_name import filled_in

        values: dict[str, Value] = {
            "host": partial(self._name, variables),
            "rank": partial(_rank, variables),
            "time": time_of_start(),
        }
        try:
            return tuple(filled_in(path, values) for path in outputs)
        except OutputError as error:
            raise click.UsageError(str(error)) from error

    def check_files(self, given: tuple[str, ...], files: tuple[str, ...], python: str | None = None) -> None:
        """Refuse a file that no report may be written to; make the folder of one whose name had a placeholder."""
        from xpu_doctor.text.output_name import has_placeholder, make_folder_of

        for path, file in zip(given, files, strict=True):
            if has_placeholder(path):
                make_folder_of(file)
        check_outputs(files, python)

    def node(self, no_redact: bool, variables: Mapping[str, str] = os.environ) -> str | None:
        """Return what the report's field `node` says."""
        choice = self.host_name or ("keep" if no_redact else "hide")
        return None if choice == "hide" else self._name(variables)

    def begins(self, variables: Mapping[str, str] = os.environ) -> bool:
        """Wait as long as was asked for; return False where another process of this node does the check."""
        if self.once_per_node:
            from xpu_doctor.host.turn import is_our_turn

            if not is_our_turn(variables):
                return False
        if self.jitter:
            import random
            import time

            time.sleep(random.uniform(0, self.jitter))  # noqa: S311
        return True

    def limit(self) -> TimeLimit | None:
        """Return the time limit, which begins now."""
        if self.deadline is None:
            return None
        from xpu_doctor.process.time_limit import TimeLimit

        return TimeLimit.from_now(self.deadline)

    def _name(self, variables: Mapping[str, str]) -> str:
        """Return the name of this machine, or its alias."""
        from xpu_doctor.tables.launchers import OWN_NODE, node_name

        name = node_name(variables)
        if name.lower() in NAMELESS:
            raise click.UsageError(
                f"this machine calls itself {name or 'nothing'!r}, as others may: set {OWN_NODE} to a name of its own"
            )
        if self.host_name != "alias":
            return name
        import hashlib
        import hmac

        key = variables.get(KEY, "")
        if not key:
            raise click.UsageError(f"--host-name alias: set {KEY} to a secret of yours, the same on every machine")
        digest = hmac.new(os.fsencode(key), name.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return f"node-{digest.hexdigest()[:12]}"


NAMED = OneOfMany(quiet=False, deadline=None, jitter=None, once_per_node=False, host_name=None)
"""Of a command whose files alone are among many."""


def _rank(variables: Mapping[str, str]) -> str:
    from xpu_doctor.tables.launchers import rank, rank_variables

    number = rank(variables)
    if number is None:
        raise click.UsageError(
            f"-o with {{rank}}: no launcher tells this process its rank ({', '.join(rank_variables())})"
        )
    return str(number)


def time_of_start() -> Callable[[], str]:
    """Return what gives one and the same moment for all files of a run."""
    from time import gmtime, strftime

    moment = strftime("%Y%m%dT%H%M%SZ", gmtime())
    return lambda: moment


def one_of_many(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command these options, as its one argument `many`."""

    @wraps(command)
    def called(
        *,
        quiet: bool,
        deadline: float | None,
        jitter: float | None,
        once_per_node: bool,
        host_name: str | None,
        **others: Any,
    ) -> int:
        for option, value in (("--deadline", deadline), ("--jitter", jitter)):
            if value is not None and value != value:
                raise click.UsageError(f"{option} nan: not a number of seconds")
        return command(many=OneOfMany(quiet, deadline, jitter, once_per_node, host_name), **others)

    for option in reversed(OPTIONS):
        called = option(called)
    return called
