"""`xpu-doctor check`: options in, one report out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.examine import (
    AS_OWNER,
    NO_REDACT,
    ONLY,
    PYTHON,
    SKIP,
    TIMEOUT,
    Order,
    chosen,
    deadlines_of,
    examine,
    rights_of,
    selection_of,
)
from xpu_doctor.cli.node import OneOfMany, one_of_many
from xpu_doctor.cli.options import (
    FAIL_ON,
    IGNORE,
    JSON,
    OUTPUTS,
    REDACT,
    REPORT_FORMAT,
    VERBOSE,
    check_words,
    known_codes,
    nearest,
    refuse_empty,
    split,
)

if TYPE_CHECKING:
    from xpu_doctor.examination.run import Running
    from xpu_doctor.report.document import Document

DEVICE_FORM = re.compile(r"xpu(?::(?:0|[1-9][0-9]?))?|cpu(?::0)?")
"""What torch.device takes for a device of this tool's concern, and for the CPU."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@PYTHON
@ONLY
@SKIP
@click.option("--expect", multiple=True, metavar="WHAT", help="Fail unless it holds: xpu-wheel, devices>=N.")
@IGNORE
@FAIL_ON
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="Device to run the timed matmul on: xpu, xpu:N or cpu (default: every XPU device).",
)
@TIMEOUT
@REPORT_FORMAT
@JSON
@OUTPUTS
@REDACT
@NO_REDACT
@AS_OWNER
@VERBOSE
@one_of_many
def check(
    python: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    expect: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    devices: tuple[str, ...],
    timeout: float | None,
    format_: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    words: tuple[str, ...],
    no_redact: bool,
    as_owner: bool,
    verbose: bool,
    many: OneOfMany,
) -> int:
    """Say why torch.xpu does not work here, and how to fix it.

    One Python environment and this machine below it are examined; nothing is changed.

    Of many machines, each writes its own file: -o 'reports/{host}.json'; {rank} and {time} are known, too.

    Exit codes: 0 nothing found, 1 findings, 2 usage, 3 could not be diagnosed, 4 xpu-doctor failed, 130 interrupted.
    """
    for option, values in (
        ("--only", only),
        ("--skip", skip),
        ("--expect", expect),
        ("--ignore", ignore),
        ("--device", devices),
    ):
        refuse_empty(option, values)
    _check_devices(devices)
    check_words(words, no_redact)
    files = many.files(outputs)
    node = many.node(no_redact)
    given = "json" if as_json else format_
    if many.quiet and given and not files:
        raise click.UsageError(
            f"--quiet prints nothing: name a file for the {given} with -o, or leave one of the two out"
        )
    selection = selection_of(split(only), split(skip))
    _check_expectations(split(expect))
    if not many.begins():
        return 0
    limit = many.limit()
    choice = chosen(python)
    many.check_files(outputs, files, choice.python)
    rights = rights_of(choice.python, as_owner, quiet=many.quiet)
    order = Order(choice, selection, deadlines_of(timeout), rights, python, devices, limit, many.quiet)

    def report(running: Running) -> Document:
        from xpu_doctor.api import report_on
        from xpu_doctor.examination.run import now
        from xpu_doctor.report.build import Report

        wanted = Report(
            expect=split(expect),
            ignore=known_codes(split(ignore)),
            fail_on=fail_on,
            redact=not no_redact,
            created=now(),
            words=words,
            node=node,
        )
        return report_on(running, wanted)

    document = examine(order, report)
    from xpu_doctor.report.build import deliver

    return deliver(document, given, files, verbose=verbose, python=choice.python, private=no_redact, quiet=many.quiet)


def _check_devices(devices: tuple[str, ...]) -> None:
    """Refuse what names no device that the matmul can be timed on; whether it is there, only torch can tell."""
    for device in devices:
        if DEVICE_FORM.fullmatch(device) is None:
            raise click.UsageError(
                f"--device {device}: not a device to time: name xpu, xpu:N (N counts from 0) or cpu; repeat the option for more"
            )


def _check_expectations(expectations: tuple[str, ...]) -> None:
    if not expectations:
        return
    from xpu_doctor.diagnosis.expectations import FORMS, is_form

    for text in expectations:
        if not is_form(text):
            raise click.UsageError(f"--expect {text}: not one of {', '.join(FORMS)}." + nearest(text, FORMS))
