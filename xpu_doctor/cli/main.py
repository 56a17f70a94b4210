"""The command line: options in, exit code out. Everything heavy is imported where it is used."""

from __future__ import annotations

import os
import sys

from xpu_doctor.cli.startup import Terminated, end_in_order_on_signals, open_standard_streams, put_strangers_last

try:
    put_strangers_last()
except OSError:  # the working folder was deleted under us
    pass

import click

from xpu_doctor.cli.options import nearest
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.version import __version__
from xpu_doctor.text.output import OutputError, guarded, silence, to_stderr

COMPLETE = "_XPU_DOCTOR_COMPLETE"
"""The variable by which a shell asks what may be typed next; Click makes the name from the program's."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    lazy = {
        "check": ("xpu_doctor.cli.check", "check"),
        "fix": ("xpu_doctor.cli.fix", "fix"),
        "watch": ("xpu_doctor.cli.watch", "watch"),
        "triage": ("xpu_doctor.cli.triage", "triage"),
        "snapshot": ("xpu_doctor.cli.snapshot", "snapshot"),
        "compare": ("xpu_doctor.cli.compare", "compare"),
        "fleet": ("xpu_doctor.cli.fleet", "fleet"),
        "probes": ("xpu_doctor.cli.reference", "probes"),
        "codes": ("xpu_doctor.cli.reference", "codes"),
        "explain": ("xpu_doctor.cli.reference", "explain"),
        "facts": ("xpu_doctor.cli.facts", "facts"),
        "schema": ("xpu_doctor.cli.reference", "schema"),
        "completion": ("xpu_doctor.cli.completion", "completion"),
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
        if COMPLETE in os.environ:
            from xpu_doctor.cli.complete import with_offers

            return with_offers(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(error.format_message() + nearest(args[0], self.lazy), ctx) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="xpu-doctor")
def cli() -> None:
    """Find out why PyTorch does not use your Intel GPU, and print the exact commands to fix it."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; no user ever sees a bare traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    open_standard_streams()
    end_in_order_on_signals()
    with guarded():
        code = _run(given)
    sys.exit(code)


def _run(given: list[str]) -> int:
    """Run the command line; return its exit code, whatever happens."""
    try:
        if os.environ.get(COMPLETE):
            from xpu_doctor.cli.complete import answer

            return answer(cli, os.environ[COMPLETE])
        return int(cli.main(given, prog_name="xpu-doctor", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except OutputError as error:
        to_stderr(f"Error: {error}\n")
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        to_stderr("Interrupted.\n")
        # CPython remembers an interrupt that came inside exec() of a text (each namedtuple and dataclass is made so), and with
        # `python -m` it ends itself by the signal in the end although we handled it. Another such exec() makes it forget.
        exec("")  # noqa: S102
        return ExitCode.INTERRUPTED
    except Terminated as end:
        return 128 + end.number
    except BrokenPipeError:
        silence(sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        from xpu_doctor.cli.crash import report_crash

        return report_crash(error, given)
