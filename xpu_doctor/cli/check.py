"""`xpu-doctor check`: options in, one report out."""

from __future__ import annotations

import os
import re
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
    check_outputs,
    check_words,
    known_codes,
    nearest,
    refuse_empty,
    split,
)

if TYPE_CHECKING:
    from xpu_doctor.model.selection import Selection
    from xpu_doctor.target.rights import Rights

DEVICE_FORM = re.compile(r"xpu(?::(?:0|[1-9][0-9]?))?|cpu(?::0)?")
"""What torch.device takes for a device of this tool's concern, and for the CPU."""
DEADLINE = click.FloatRange(min=0.1, max=86400)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--python",
    "python",
    metavar="PATH",
    help="Interpreter or environment folder to examine (default: the active environment).",
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Examine only these layers or probes (repeat, or separate by commas)."
)
@click.option("--skip", multiple=True, metavar="NAME", help="Leave out these layers or probes, and what needs them.")
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
@click.option(
    "--timeout",
    type=DEADLINE,
    metavar="SECONDS",
    help="Deadline of each stage (default: import 120, matmul 60 and 45 a device, others 30).",
)
@REPORT_FORMAT
@JSON
@OUTPUTS
@REDACT
@click.option(
    "--no-redact",
    is_flag=True,
    help="Hide nothing: names, addresses and secrets stand in the report as they were found.",
)
@click.option(
    "--as-owner/--no-as-owner",
    default=True,
    help="As root: give the interpreter the rights of the user whose environment it is (default), or keep root's.",
)
@VERBOSE
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
) -> int:
    """Examine this machine and one Python environment, and say why torch.xpu does not work.

    Exit codes: 0 nothing found, 1 findings, 2 usage, 3 could not be diagnosed, 4 xpu-doctor failed, 130 interrupted.
    """
    from xpu_doctor.cli.progress import Progress
    from xpu_doctor.examination.run import now, start
    from xpu_doctor.examination.session import Session
    from xpu_doctor.model.selection import CHECKED, Selection
    from xpu_doctor.target.find import Surroundings, TargetError, find_target, start_refused

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
    selection = _selection(split(only), split(skip)) if only or skip else Selection(frozenset(CHECKED))
    if not selection.layers:
        raise click.UsageError("nothing is left to examine: --skip takes away all that --only asks for")
    _check_expectations(split(expect))
    try:
        choice = find_target(python, Surroundings(os.environ))
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    check_outputs(outputs, choice.python)
    deadlines = _deadlines(timeout)
    rights = _rights(choice.python, as_owner)
    progress = Progress(enabled=True)
    running = None
    try:
        variables = dict(os.environ)
        running = start(Session(choice, selection, variables, deadlines, devices, rights=rights, tell=progress.begins))
        from xpu_doctor.api import report_on
        from xpu_doctor.report.build import Report, deliver

        report = Report(
            expect=split(expect),
            ignore=known_codes(split(ignore)),
            fail_on=fail_on,
            redact=not no_redact,
            created=now(),
            words=words,
        )
        outcome = report_on(running, report)
    except OSError as error:
        from xpu_doctor.cli.crash import refusal

        if refusal(error) or (python is None and error.filename != choice.python):
            raise
        whose = choice.why if python is None else f"--python {python}"
        raise click.UsageError(f"{whose}: {start_refused(choice.python, error)}") from error
    finally:
        progress.close()
        if running is not None:
            running.close()
    return deliver(
        outcome, "json" if as_json else format_, outputs, verbose=verbose, python=choice.python, private=no_redact
    )


def _rights(python: str, as_owner: bool) -> Rights:
    """Whose rights the interpreter gets; root hears of it before anything of another user's environment runs."""
    from xpu_doctor.target.rights import rights_for
    from xpu_doctor.text.output import to_stderr

    rights = rights_for(python, as_owner)
    for note in rights.notes:
        to_stderr(f"xpu-doctor: {note}\n")
    return rights


def _selection(only: tuple[str, ...], skip: tuple[str, ...]) -> Selection:
    from xpu_doctor.catalogue.names import probe_layers
    from xpu_doctor.model.selection import CHECKED, select
    from xpu_doctor.target.stages import BY_NAME

    layers = probe_layers()
    try:
        return select(only, skip, layers)
    except KeyError as error:
        name = str(error.args[0])
        every = [*(layer.value for layer in CHECKED), *layers]
        stage = BY_NAME.get(name)
        meant = f" The stage {name} is the probe {stage.probe}." if stage else nearest(name, every)
        valid = f" Layers: {', '.join(layer.value for layer in CHECKED)}. `xpu-doctor probes` lists the probes."
        raise click.UsageError(f"{name!r} is neither a layer nor a probe.{meant}{valid}") from error
    except ValueError as error:
        raise click.UsageError(
            f"--skip {error.args[0]}: without it nothing can be examined; `xpu-doctor probes` lists what can be left out"
        ) from error


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


def _deadlines(timeout: float | None) -> dict[str, float]:
    from xpu_doctor.target.stages import STAGES

    if timeout is not None and timeout != timeout:
        raise click.UsageError("--timeout nan: not a number of seconds")
    return {} if timeout is None else dict.fromkeys((*(stage.name for stage in STAGES), "probes"), timeout)
