"""What check and snapshot share: options to a session, and an examination that is closed whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from xpu_doctor.cli.options import nearest

if TYPE_CHECKING:
    from xpu_doctor.examination.run import Running
    from xpu_doctor.model.selection import Selection
    from xpu_doctor.process.time_limit import TimeLimit
    from xpu_doctor.target.find import Choice
    from xpu_doctor.target.rights import Rights

T = TypeVar("T")
DEADLINE = click.FloatRange(min=0.1, max=86400)
PYTHON = click.option(
    "--python",
    "python",
    metavar="PATH",
    help="Interpreter or environment folder to examine (default: the active environment).",
)
ONLY = click.option(
    "--only", multiple=True, metavar="NAME", help="Examine only these layers or probes (repeat, or separate by commas)."
)
SKIP = click.option(
    "--skip", multiple=True, metavar="NAME", help="Leave out these layers or probes, and what needs them."
)
TIMEOUT = click.option(
    "--timeout",
    type=DEADLINE,
    metavar="SECONDS",
    help="Deadline of each stage (default: import 120, matmul 60 and 45 a device, others 30).",
)
NO_REDACT = click.option(
    "--no-redact",
    is_flag=True,
    help="Hide nothing: names, addresses and secrets stand in the report as they were found.",
)
AS_OWNER = click.option(
    "--as-owner/--no-as-owner",
    default=True,
    help="As root: give the interpreter the rights of the user whose environment it is (default), or keep root's.",
)
"""The options of an examination."""


@dataclass(frozen=True)
class Order:
    """What is to be examined."""

    choice: Choice
    selection: Selection
    deadlines: dict[str, float]
    rights: Rights
    given: str | None = None
    """What `--python` named."""
    devices: tuple[str, ...] = ()
    limit: TimeLimit | None = None
    """When the whole has to be done."""
    quiet: bool = False
    """Whether nothing is said of the progress."""


def examine(order: Order, use: Callable[[Running], T]) -> T:
    """Start the interpreter and hand the examination to `use`, which may import what is heavy; nothing is left running.

    Raises:
        click.UsageError: the interpreter cannot be started.
    """
    from xpu_doctor.cli.progress import Progress
    from xpu_doctor.examination.run import start
    from xpu_doctor.examination.session import Session

    choice = order.choice
    progress = Progress(enabled=not order.quiet)
    running = None
    try:
        session = Session(
            choice,
            order.selection,
            dict(os.environ),
            order.deadlines,
            order.devices,
            rights=order.rights,
            tell=progress.begins,
            limit=order.limit,
        )
        running = start(session)
        return use(running)
    except OSError as error:
        raise _not_started(order, error) from error
    finally:
        progress.close()
        if running is not None:
            running.close()


def _not_started(order: Order, error: OSError) -> Exception:
    """Return what to raise where a start failed: wrong usage, unless the machine refused it or another file is meant."""
    from xpu_doctor.cli.crash import refusal
    from xpu_doctor.target.find import start_refused

    choice = order.choice
    if refusal(error) or (order.given is None and error.filename != choice.python):
        return error
    whose = choice.why if order.given is None else f"--python {order.given}"
    return click.UsageError(f"{whose}: {start_refused(choice.python, error)}")


def chosen(python: str | None) -> Choice:
    """Return the interpreter to examine.

    Raises:
        click.UsageError: there is none.
    """
    from xpu_doctor.target.find import Surroundings, TargetError, find_target

    try:
        return find_target(python, Surroundings(os.environ))
    except TargetError as error:
        raise click.UsageError(str(error)) from error


def rights_of(python: str, as_owner: bool, *, quiet: bool = False) -> Rights:
    """Whose rights the interpreter gets; root hears of it, unless it is to be quiet, before anything of another user's environment runs."""
    from xpu_doctor.target.rights import rights_for
    from xpu_doctor.text.output import to_stderr

    rights = rights_for(python, as_owner)
    for note in () if quiet else rights.notes:
        to_stderr(f"xpu-doctor: {note}\n")
    return rights


def selection_of(only: tuple[str, ...], skip: tuple[str, ...]) -> Selection:
    """Return what is to be examined.

    Raises:
        click.UsageError: a name is none of ours, or nothing would be left.
    """
    from xpu_doctor.model.selection import CHECKED, Selection

    selection = _selected(only, skip) if only or skip else Selection(frozenset(CHECKED))
    if not selection.layers:
        raise click.UsageError("nothing is left to examine: --skip takes away all that --only asks for")
    return selection


def _selected(only: tuple[str, ...], skip: tuple[str, ...]) -> Selection:
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


def deadlines_of(timeout: float | None) -> dict[str, float]:
    """Return the deadline of each stage, where one was given for all."""
    from xpu_doctor.target.stages import STAGES

    if timeout is not None and timeout != timeout:
        raise click.UsageError("--timeout nan: not a number of seconds")
    return {} if timeout is None else dict.fromkeys((*(stage.name for stage in STAGES), "probes"), timeout)
