"""`xpu-doctor watch`: runs a command as it is, and reports what it used of the GPU."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.examine import NO_REDACT
from xpu_doctor.cli.node import NAMED
from xpu_doctor.cli.options import JSON, OUTPUTS, REDACT, REPORT_FORMAT, VERBOSE, check_words
from xpu_doctor.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from xpu_doctor.model.facts.watched import Watched
    from xpu_doctor.watching.run import Watch

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "ms": 0.001}
DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|)")
LONGEST = 365 * 86400.0
SHORTEST_INTERVAL = 0.05


class Share(click.ParamType):  # type: ignore[type-arg]
    """A share such as `50%`, between 0 and 1."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%", str(value).strip())
        if match is None or float(match[1]) > 100:
            self.fail(f"{value!r} is no share: write 50%", param, ctx)
        return float(match[1]) / 100


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A length of time such as `2`, `0.5s`, `10m` or `6h`, in seconds."""

    name = "time"

    def __init__(self, least: float) -> None:
        self.least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        match = DURATION.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no length of time: write 30s, 10m or 6h", param, ctx)
        seconds = float(match[1]) * UNITS[match[2]]
        if not self.least <= seconds <= LONGEST:
            self.fail(f"{value} is out of range: at least {self.least:g}s, at most a year", param, ctx)
        return seconds


@click.command(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": False,
        "allow_interspersed_args": False,
    }
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--pid", type=click.IntRange(min=1), metavar="PID", help="Watch a process that runs already; it is only looked at."
)
@click.option(
    "--interval",
    type=Seconds(SHORTEST_INTERVAL),
    default="1s",
    show_default=True,
    metavar="TIME",
    help="Time between two samples.",
)
@click.option(
    "--for",
    "seconds",
    type=Seconds(0.1),
    metavar="TIME",
    help="End the watch and report after so long, such as 60s; the program goes on, and a command is still waited for.",
)
@click.option(
    "--inside/--no-inside",
    default=True,
    help="Load a small hook in the command's Pythons, and read its stderr along (default), or look from outside alone.",
)
@click.option(
    "--device-type",
    type=click.Choice(["xpu", "cuda"]),
    default="xpu",
    show_default=True,
    help="The torch device that the program should use.",
)
@click.option("--live", is_flag=True, help="Show on stderr how it is doing while it runs.")
@click.option(
    "--fail-below",
    type=Share(),
    metavar="PERCENT",
    help="Where the command succeeds: exit code 1 if the GPUs that it used worked a smaller share of the time, 3 if that is not known.",
)
@REPORT_FORMAT
@JSON
@OUTPUTS
@REDACT
@NO_REDACT
@VERBOSE
def watch(
    command: tuple[str, ...],
    pid: int | None,
    interval: float,
    seconds: float | None,
    inside: bool,
    device_type: str,
    live: bool,
    fail_below: float | None,
    format_: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    words: tuple[str, ...],
    no_redact: bool,
    verbose: bool,
) -> int:
    """Say how much of its time your own program used the GPU.

    The command is run as it is, and the report comes on stderr after its end: xpu-doctor watch -- python train.py

    Exit codes: those of the command, 128 and the signal's number where one ended it; 126 it may not be executed, 127 not found; 2 usage; 1 and 3
    by --fail-below.
    """
    check_words(words, no_redact)
    if bool(command) == (pid is not None):
        raise click.UsageError(
            "name a command behind --, or a process with --pid: xpu-doctor watch -- python train.py"
            if not command
            else "--pid attaches to a process, and a command starts one: leave one of the two out"
        )
    files = NAMED.files(outputs)
    NAMED.check_files(outputs, files)
    from xpu_doctor.watching.attached import AttachError
    from xpu_doctor.watching.command import CommandError
    from xpu_doctor.watching.order import Order
    from xpu_doctor.watching.run import Watch

    order = Order(command, pid or 0, interval, seconds, inside, device_type)
    try:
        started = Watch(order, _applications)
    except AttachError as error:
        raise click.UsageError(str(error)) from error
    except CommandError as error:
        from xpu_doctor.text.output import to_stderr

        to_stderr(f"Error: {error}\n")
        return error.code
    with started:
        return _watched(started, (format_, as_json, files, words, no_redact, verbose), live, fail_below)


def _watched(
    started: Watch,
    wanted: tuple[str | None, bool, tuple[str, ...], tuple[str, ...], bool, bool],
    live: bool,
    fail_below: float | None,
) -> int:
    """Follow to the end, report, and return the exit code."""
    from xpu_doctor.watching.live_line import LiveLine

    line = LiveLine() if live else None
    if not started.order.command:
        _interrupt_by_signals()
    try:
        started.follow(line.tell if line else None)
    finally:
        if line:
            line.close()
    watched = _report(started, wanted)
    code = started.rest()
    return code if code or fail_below is None else _by_share(watched, fail_below)


def _report(started: Watch, wanted: tuple[str | None, bool, tuple[str, ...], tuple[str, ...], bool, bool]) -> Watched:
    from xpu_doctor.api import report_on_watch
    from xpu_doctor.examination.run import now
    from xpu_doctor.report.build import Report, deliver_beside

    format_, as_json, outputs, words, no_redact, verbose = wanted
    seen = started.seen()
    if started.ended:
        # Nobody is left to be told: what comes now hurries the report.
        started.hand_back_signals()
        _interrupt_by_signals()
    report = Report(redact=not no_redact, created=now(), words=words)
    document = report_on_watch(seen, report, started.order.environment)
    given = "json" if as_json else format_
    deliver_beside(document, given, outputs, verbose=verbose, python=seen.python or None, private=no_redact)
    return seen.watched


def _by_share(watched: Watched, least: float) -> int:
    """Return the exit code that `--fail-below` asks for, and say why on stderr."""
    from xpu_doctor.diagnosis.program_use import use_of
    from xpu_doctor.text.output import to_stderr

    use = use_of(watched)
    if use.share is None:
        to_stderr(f"xpu-doctor: --fail-below {least:.0%}: the share of the GPUs is not known: {use.reason}\n")
        return ExitCode.UNDIAGNOSED
    if use.share < least:
        to_stderr(f"xpu-doctor: --fail-below {least:.0%}: the GPUs worked {use.share:.0%} of the time\n")
        return ExitCode.FINDINGS
    return ExitCode.OK


def _applications() -> tuple[tuple[str, str], ...]:
    """Return what the table of applications has; it is loaded when the command runs already."""
    from xpu_doctor.tables.program_modules import modules_to_name

    return modules_to_name()


def _interrupt_by_signals() -> None:
    """Have what ends programs in order interrupt what goes on here, after which the report comes."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
