"""What the commands share: the checks of their options' values, each with a way out."""

from __future__ import annotations

from collections.abc import Iterable

import click

from xpu_doctor.report.formats import FORMATS as FORMATS_OF_REPORTS
from xpu_doctor.report.formats import NAMES, Format, format_of

FORMATS = ("text", "json")
"""What `fix` and `facts` print."""
TEXT = NAMES[0]
"""The format whose ending, or none at all, promises nothing of what a file holds."""
SHORTEST_WORD = 3
"""Letters of a word to hide: a shorter one cannot be told from other words."""
CODES = " `xpu-doctor codes` lists the findings."
"""Ends the refusal of a code that no finding has."""

IGNORE = click.option("--ignore", multiple=True, metavar="CODE", help="Hide a finding, and count it.")
FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="Severity that makes the exit code 1.",
)
FORMAT = click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print."
)
REPORT_FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(NAMES),
    help="What to print or write (default: a file by its ending, everything else as text).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
OUTPUTS = click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write the report to a file, whole or not at all; repeat it for several. - is standard output.",
)
REDACT = click.option(
    "--redact", "words", multiple=True, metavar="WORD", help="Hide this word too: a project, a customer, a machine."
)
VERBOSE = click.option(
    "-v", "--verbose", is_flag=True, help="Show all evidence, what could not be decided, and what to ask for."
)
"""The options that check and triage share."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` Did you mean ...?` for an unknown name, in whatever case it was written, or empty."""
    from difflib import get_close_matches

    spelt = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), list(spelt), 1, 0.5)
    return f" Did you mean {spelt[close[0]]!r}?" if close else ""


def refuse_empty(option: str, values: tuple[str, ...]) -> None:
    """Refuse an option that was given without a value: `--expect "$WANTED"` with an unset variable must not pass for a check that held."""
    if any(not value.strip(" ,\t") for value in values):
        raise click.UsageError(
            f"{option} is empty: name a value, or leave the option out (is a variable of your script unset?)"
        )


def check_words(words: tuple[str, ...], no_redact: bool) -> None:
    """Refuse words that cannot be hidden, and to hide some where nothing is hidden."""
    refuse_empty("--redact", words)
    if words and no_redact:
        raise click.UsageError("--redact hides a word and --no-redact hides nothing: leave one of the two out")
    short = next((word for word in words if len(word.strip()) < SHORTEST_WORD), "")
    if short:
        raise click.UsageError(
            f"--redact {short}: too short to be told from other words; name at least {SHORTEST_WORD} letters"
        )
    own = next(filter(_is_the_doctors, words), "")
    if own:
        raise click.UsageError(
            f"--redact {own}: a word that reports are made of, so hiding it would break them; name one that only your texts hold"
        )


def _is_the_doctors(word: str) -> bool:
    """Return whether reports are made of a word: codes and their parts, layers, packages, states, and words by which texts are diagnosed."""
    from xpu_doctor.catalogue.names import all_codes, probe_layers
    from xpu_doctor.model.findings import Layer
    from xpu_doctor.remedies.known_words import is_known_word
    from xpu_doctor.text.private_search import is_a_word

    name = word.strip().lower()
    codes = {part for code in all_codes() for part in (code, *code.split("-"))}
    return name in {*codes, *Layer, *probe_layers()} or is_known_word(name) or is_a_word(name) or name in _PAGES


_PAGES = frozenset({"findings", "docs", "html", "https", "xpu-doctor", "xpu_doctor", "doctor", "finding", "installed"})
"""Words of the addresses of pages."""


def split(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of an option that may be repeated, or separated by commas."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def check_outputs(paths: tuple[str, ...], python: str | None = None, inputs: tuple[str, ...] = ()) -> None:
    """Refuse a file that no report may be written to, one of `inputs`, and one that is named twice."""
    if not paths:
        return
    from xpu_doctor.text.output_file import OutputError, check_all_writable

    try:
        check_all_writable(paths, python, inputs)
    except OutputError as error:
        raise click.UsageError(str(error)) from error


def check_endings(
    paths: tuple[str, ...], names: tuple[str, ...], what: str, formats: tuple[Format, ...] = FORMATS_OF_REPORTS
) -> None:
    """Refuse a file whose ending names a format of reports that `what` does not have; `.txt` is the ending of any text.

    `formats` has those that are named.
    """
    for path in paths:
        named = format_of(path)
        if named not in (TEXT, *names):
            endings = ", ".join(ending for each in formats if each.name in names for ending in each.endings)
            raise click.UsageError(
                f"-o {path}: its ending asks for {named}, and {what} has no such format: name a file that ends in {endings}"
            )


def known_codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes; refuse one that no finding has."""
    if not codes:
        return ()
    from xpu_doctor.catalogue.names import all_codes

    for code in codes:
        if code not in all_codes():
            raise click.UsageError(f"--ignore {code}: no such finding." + nearest(code, all_codes()) + CODES)
    return codes
