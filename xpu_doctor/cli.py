"""The command line: options in, exit code out. Everything heavy is imported where it is used."""

from __future__ import annotations

import sys
from typing import Any

import click

from xpu_doctor import __version__
from xpu_doctor.exit_codes import ExitCode


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    lazy = {
        "check": ("xpu_doctor.cli_check", "check"),
        "triage": ("xpu_doctor.cli_triage", "triage"),
        "probes": ("xpu_doctor.cli_reference", "probes"),
        "codes": ("xpu_doctor.cli_reference", "codes"),
        "explain": ("xpu_doctor.cli_reference", "explain"),
        "schema": ("xpu_doctor.cli_reference", "schema"),
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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
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
    try:
        code = cli.main(given, prog_name="xpu-doctor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        code = ExitCode.OK
    except Exception as error:
        from xpu_doctor.crash import report_crash

        code = report_crash(error, given)
    sys.exit(int(code or 0))


def _silence_stdout() -> None:
    """The reader of our output has gone: keep the interpreter from complaining at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
