"""What the modes of `fix` share: what is wished, how it is said and asked, and when it is refused."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.report.typed import line_to_type
from xpu_doctor.text.output import to_stderr, to_stdout

if TYPE_CHECKING:
    from xpu_doctor.treatment.history import Treatment


class Refused(click.ClickException):
    """What was asked for cannot be done, through no fault of the command line."""

    exit_code = int(ExitCode.USAGE)


@dataclass(frozen=True)
class Wishes:
    """What the user wants done."""

    apply: bool
    yes: bool
    go_on: bool
    edit_project: bool
    as_json: bool
    again: tuple[str, ...] = ()
    """The options that a further call has to repeat, so that it does what this one showed."""


def agreed(wishes: Wishes, question: str, what_asks: str) -> bool:
    """Ask, and say so where the answer is no; anything but a clear yes is a no."""
    if wishes.yes:
        return True
    if not sys.stdin or not sys.stdin.isatty():
        raise Refused(f"{what_asks}, and there is no terminal: add --yes")
    to_stderr(f"\n{question} [y/N] ")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("Nothing was changed.")
    return False


def refuse_two(treatment: Treatment) -> None:
    """Refuse to work on an environment beside another doctor."""
    if treatment.at_work:
        raise Refused(f"another xpu-doctor is at work on this environment (process {treatment.process})")


def print_json(text: str) -> None:
    """Print the one document of this run."""
    to_stdout(text, own_sequences=True)


def say(text: str) -> None:
    """Say something to the user, beside what stdout is for."""
    to_stderr(f"\n{text}\n")


def echo(data: bytes) -> None:
    """Print what an installer prints, visibly; it may come from another thread."""
    to_stderr(data.decode("utf-8", "replace").replace("\r", "\n"))


def call(python: str, *options: str) -> str:
    """Return what to type to call `fix` again on an environment, from any folder."""
    return line_to_type("fix", "--python", os.path.abspath(python), *options)
