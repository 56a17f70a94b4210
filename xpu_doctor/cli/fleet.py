"""`xpu-doctor fleet`: the reports of many nodes in, which of them differ and why out."""

from __future__ import annotations

import sys

import click

from xpu_doctor.cli.node import time_of_start
from xpu_doctor.cli.options import JSON, OUTPUTS, REDACT, check_endings, check_outputs, check_words
from xpu_doctor.report.fleet.formats import FORMATS, NAMES

FAIL_ON = ("error", "warning", "missing", "outlier", "never")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("reports", nargs=-1, required=True, metavar="REPORTS...")
@click.option(
    "--expect-nodes",
    multiple=True,
    metavar="LIST|FILE",
    help="Nodes that should be there, as Slurm writes them: node[001-200],login1; or a file of such lists.",
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    multiple=True,
    help="What makes the exit code 1 (default: error); repeat it for several.",
)
@click.option(
    "--hosts",
    type=click.Choice(("keep", "number")),
    default="keep",
    show_default=True,
    help="Names of nodes: as they are, or <host1>, <host2> ... the same everywhere.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(NAMES),
    help="What to print or write (default: a file by its ending, everything else as text).",
)
@JSON
@OUTPUTS
@REDACT
@click.option("--no-redact", is_flag=True, help="Hide nothing of what the reports hold.")
@click.option("-v", "--verbose", is_flag=True, help="Show all groups, all names, and all that a group has in common.")
def fleet(
    reports: tuple[str, ...],
    expect_nodes: tuple[str, ...],
    fail_on: tuple[str, ...],
    hosts: str,
    format_: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    words: tuple[str, ...],
    no_redact: bool,
    verbose: bool,
) -> int:
    """Say which of many nodes differ, and why: outliers first.

    Nodes are put together by diagnosis, then by what separates them from most others; slow cards, missing nodes and nodes that
    changed are named.

    REPORTS are what `check --json` wrote: folders, patterns, files, archives (.tar.gz), files with one report a line (.jsonl); - is
    standard input. A node is called as its report says, else as its file.

    Exit codes: 0 nothing that --fail-on names, 1 something of it, 2 usage, 3 not all is known, 4 xpu-doctor failed.
    """
    check_words(words, no_redact)
    if reports.count("-") > 1:
        raise click.UsageError("- is named twice, and standard input can be read only once")
    if "never" in fail_on and len(set(fail_on)) > 1:
        raise click.UsageError("--fail-on never excludes every other --fail-on: leave one of them out")
    wanted = "json" if as_json else format_
    if wanted is None:
        check_endings(outputs, NAMES, "a fleet", FORMATS)
    outputs = _filled_in(outputs)
    _check_outputs(outputs, reports)
    from xpu_doctor.api import fleet_of
    from xpu_doctor.cli.progress import Counting
    from xpu_doctor.fleet.expected import NodeListError, expected_nodes
    from xpu_doctor.fleet.inputs import NoInput
    from xpu_doctor.fleet.workers import available_workers
    from xpu_doctor.report.delivery import deliver_as
    from xpu_doctor.report.fleet.words import headline

    stream = sys.stdin.buffer if sys.stdin is not None else None
    counting = Counting()
    try:
        expected = expected_nodes(*expect_nodes) if expect_nodes else None
        document = fleet_of(
            reports,
            standard_input=stream,
            expected=expected,
            fail_on=fail_on or ("error",),
            hosts=hosts,
            redact=not no_redact,
            words=words,
            workers=available_workers(),
            tell=counting.tell,
        )
    except (NodeListError, NoInput) as error:
        raise click.UsageError(str(error)) from error
    finally:
        counting.close()
    deliver_as(FORMATS, document, headline(document), wanted, outputs, verbose=verbose, private=no_redact)
    return document.exit_code


def _filled_in(outputs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the files with `{time}` filled in; a fleet is of no host and of no rank."""
    from xpu_doctor.text.output_file import OutputError
    from xpu_doctor.text.output_name import filled_in, has_placeholder, make_folder_of

    values = {"time": time_of_start()}
    try:
        files = tuple(filled_in(path, values) for path in outputs)
    except OutputError as error:
        raise click.UsageError(str(error)) from error
    for path, file in zip(outputs, files, strict=True):
        if has_placeholder(path):
            make_folder_of(file)
    return files


def _check_outputs(outputs: tuple[str, ...], reports: tuple[str, ...]) -> None:
    """Refuse a file that nothing may be written to, or that is read as the report of a node."""
    from xpu_doctor.fleet.inputs import NoInput
    from xpu_doctor.fleet.outputs import read_among

    try:
        taken = read_among(outputs, reports)
    except NoInput as error:
        raise click.UsageError(str(error)) from error
    check_outputs(outputs, inputs=(*taken, *(path for path in reports if path == "-")))
