"""The files that people name on a command line, and standard input, read as bounded texts."""

from __future__ import annotations

import sys

import click

from xpu_doctor.text.output import to_stderr
from xpu_doctor.text.safe import NotText, SafeText, open_safely, read_safely


def read_text(path: str, name: str) -> SafeText:
    """Return the text of a file, or of standard input where the path is `-`.

    Raises:
        click.UsageError: it is no text, or cannot be read; the message is one line with the way out.
    """
    try:
        if path != "-":
            with open_safely(path) as stream:
                return read_safely(stream, path)
        if sys.stdin is None:
            raise NotText("standard input is closed: name a file")
        if sys.stdin.isatty():
            to_stderr("Paste the text, then end it with Ctrl-D (Windows: Ctrl-Z and Enter).\n")
        return read_safely(sys.stdin.buffer, name)
    except NotText as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from error
