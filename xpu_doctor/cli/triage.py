"""`xpu-doctor triage`: pasted texts in, one report out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.options import (
    FAIL_ON,
    IGNORE,
    JSON,
    OUTPUTS,
    REDACT,
    REPORT_FORMAT,
    VERBOSE,
    check_endings,
    check_outputs,
    check_words,
    known_codes,
    refuse_empty,
    split,
)

if TYPE_CHECKING:
    from xpu_doctor.text.safe import SafeText


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@IGNORE
@FAIL_ON
@REPORT_FORMAT
@JSON
@click.option(
    "--reply",
    "only_reply",
    is_flag=True,
    help="Print only a message to the customer, in Markdown: cause, remedy, and what to send next.",
)
@OUTPUTS
@REDACT
@click.option(
    "--no-redact", is_flag=True, help="Hide nothing: names, addresses and secrets of the input stay as they are."
)
@VERBOSE
def triage(
    files: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    format_: str | None,
    as_json: bool,
    only_reply: bool,
    outputs: tuple[str, ...],
    words: tuple[str, ...],
    no_redact: bool,
    verbose: bool,
) -> int:
    """Diagnose from pasted texts or a saved report.

    It reads collect_env, tracebacks, pip list, clinfo, sycl-ls, logs, and what check --json saved.

    FILE is a text file; - is standard input. Several files are taken as one machine.

    Exit codes: 0 nothing found, 1 findings, 2 usage, 3 could not be diagnosed, 4 xpu-doctor failed.
    """
    from xpu_doctor.api import report_on_texts
    from xpu_doctor.examination.run import now
    from xpu_doctor.model.codec import SnapshotError
    from xpu_doctor.report.build import Report, deliver

    wanted = "json" if as_json else format_
    if only_reply and wanted not in (None, "text"):
        raise click.UsageError(
            f"--reply is a message of its own, in Markdown: --format {wanted} is no form of it. Leave one of the two out."
        )
    refuse_empty("--ignore", ignore)
    check_words(words, no_redact)
    codes = known_codes(split(ignore))
    if only_reply:
        check_endings(outputs, ("markdown",), "the message of --reply")
    check_outputs(outputs, inputs=files)
    texts = _texts(files)
    options = Report(ignore=codes, fail_on=fail_on, redact=not no_redact, words=tuple(words), created=now())
    try:
        report, triaged = report_on_texts(texts, options)
    except SnapshotError as error:
        raise click.UsageError(str(error)) from error
    if only_reply:
        from xpu_doctor.report.closing import in_one_line, tell_files
        from xpu_doctor.report.reply import reply
        from xpu_doctor.text.output import to_each, write

        text = reply(report, triaged.diagnosis, triaged.snapshot, triaged.snapshots)
        to_each(outputs, lambda path: write(text, path, private=no_redact))
        tell_files(in_one_line(report), outputs)
        return report.exit_code
    return deliver(report, wanted, outputs, verbose=verbose, private=no_redact)


def _texts(files: tuple[str, ...]) -> list[tuple[str, SafeText]]:
    """Read the files, and standard input where one is `-`."""
    from xpu_doctor.cli.texts import read_text

    texts = []
    for number, path in enumerate(files, 1):
        name = "standard input" if path == "-" else f"file {number}" if len(files) > 1 else "the text"
        texts.append((name, read_text(path, name)))
    return texts
