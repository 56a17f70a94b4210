"""`xpu-doctor compare`: two or more saved reports in, what differs out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.options import JSON, OUTPUTS, REDACT, check_endings, check_outputs, check_words
from xpu_doctor.report.comparison.formats import FORMATS, NAMES

if TYPE_CHECKING:
    from xpu_doctor.text.safe import SafeText

STANDARD_INPUT = "standard input"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True, metavar="FILE FILE...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(NAMES),
    help="What to print or write (default: a file by its ending, everything else as text).",
)
@JSON
@OUTPUTS
@REDACT
@click.option(
    "--no-redact", is_flag=True, help="Hide nothing: names, addresses and secrets of the input stay as they are."
)
@click.option("-v", "--verbose", is_flag=True, help="Show every difference, and all that only some sides know.")
def compare(
    files: tuple[str, ...],
    format_: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    words: tuple[str, ...],
    no_redact: bool,
    verbose: bool,
) -> int:
    """Say what differs between reports, most telling first.

    Compare a good and a bad machine, before and after, last week and today.

    FILE is what `check --json` wrote, or any text that `triage` reads; - is standard input. Facts that findings depend on come
    first. Of three and more the odd one out is named.

    Exit codes: 0 nothing differs, 1 something differs, 2 usage, 3 not enough is known on all sides to say so, 4 xpu-doctor failed.
    """
    from xpu_doctor.api import compare_texts
    from xpu_doctor.model.codec import SnapshotError
    from xpu_doctor.report.comparison.words import headline
    from xpu_doctor.report.delivery import deliver_as

    if len(files) < 2:
        raise click.UsageError("compare takes two files or more: name the other one, too (- is standard input)")
    if files.count("-") > 1:
        raise click.UsageError("- is named twice, and standard input can be read only once: save one text to a file")
    check_words(words, no_redact)
    wanted = "json" if as_json else format_
    if wanted is None:
        check_endings(outputs, NAMES, "a comparison")
    check_outputs(outputs, inputs=files)
    try:
        document = compare_texts([_text(path) for path in files], redact=not no_redact, words=words)
    except SnapshotError as error:
        raise click.UsageError(str(error)) from error
    deliver_as(FORMATS, document, headline(document), wanted, outputs, verbose=verbose, private=no_redact)
    return document.exit_code


def _text(path: str) -> tuple[str, SafeText]:
    """Return a file's name without folders, and what it holds."""
    from xpu_doctor.cli.texts import read_text

    name = STANDARD_INPUT if path == "-" else os.path.basename(path)
    return name, read_text(path, name)
