"""The command line: options in, exit code out. Everything heavy is imported where it is used."""

from __future__ import annotations

import os
import sys


def _put_strangers_last() -> None:
    """Let the standard library and our own packages win over PYTHONPATH and the working folder: a stray random.py there is a finding."""
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    strangers = {os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry} - {
        own
    }
    here = os.path.abspath(".")  # Python puts it first for `python -m`, and an empty entry means it too
    if own != here:
        strangers.add(here)
    late = [entry for entry in sys.path if os.path.abspath(entry or ".") in strangers]
    sys.path[:] = [entry for entry in sys.path if entry not in late] + late


try:
    _put_strangers_last()
except OSError:  # the working folder was deleted under us
    pass

from typing import Any  # noqa: E402

import click  # noqa: E402

from xpu_doctor.model.exit_codes import ExitCode  # noqa: E402
from xpu_doctor.model.version import __version__  # noqa: E402
from xpu_doctor.text.output import OutputError, guarded, silence, to_stderr  # noqa: E402


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    lazy = {
        "check": ("xpu_doctor.cli.check", "check"),
        "triage": ("xpu_doctor.cli.triage", "triage"),
        "probes": ("xpu_doctor.cli.reference", "probes"),
        "codes": ("xpu_doctor.cli.reference", "codes"),
        "explain": ("xpu_doctor.cli.reference", "explain"),
        "schema": ("xpu_doctor.cli.reference", "schema"),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which people need them."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.lazy:
            return None
        from importlib import import_module

        module, name = self.lazy[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(error.format_message() + nearest(args[0], self.lazy), ctx) from error


def nearest(name: str, names: Any) -> str:
    """Return ` Did you mean ...?` for an unknown name, or empty."""
    from difflib import get_close_matches

    close = get_close_matches(name, list(names), 1, 0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="xpu-doctor")
def cli() -> None:
    """Finds out why PyTorch does not use your Intel GPU, and prints the exact commands that mend it."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; no user ever sees a bare traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_standard_streams()
    _end_in_order_on_signals()
    with guarded():
        code = _run(given)
    sys.exit(code)


def _run(given: list[str]) -> int:
    """Run the command line; return its exit code, whatever happens."""
    try:
        return int(cli.main(given, prog_name="xpu-doctor", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except OutputError as error:
        to_stderr(f"Error: {error}\n")
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        to_stderr("Interrupted.\n")
        return ExitCode.INTERRUPTED
    except Terminated as end:
        return 128 + end.number
    except BrokenPipeError:
        silence(sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        from xpu_doctor.cli.crash import report_crash

        return report_crash(error, given)


class Terminated(BaseException):
    """Somebody asked this process to end; what it started is ended first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end_in_order_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an exception, so that the interpreters under examination are ended too."""
    import signal

    def end(number: int, frame: Any) -> None:
        raise Terminated(number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            try:
                signal.signal(getattr(signal, name), end)
            except ValueError:  # not in the main thread: a program called us, and minds its own signals
                return


def _open_standard_streams() -> None:
    """Put something behind descriptors 0 to 2 where a daemon or cron closed them: else the next file takes their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
