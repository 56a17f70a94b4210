"""`xpu-doctor fix`: a plan from a live check, done step by step on request, verified, and undone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.fix_talk import Wishes
from xpu_doctor.cli.options import FORMAT, JSON
from xpu_doctor.treatment.sources import Source

if TYPE_CHECKING:
    from xpu_doctor.target.find import Choice

MODES = ("--apply", "--undo", "--history", "--forget", "--download")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--python",
    "python",
    metavar="PATH",
    help="Interpreter or environment folder to fix (default: the active environment).",
)
@click.option("--apply", "apply_", is_flag=True, help="Do the steps that change this environment alone, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask before --apply, --undo or --forget; for scripts.")
@click.option("--undo", "undo_", is_flag=True, help="Put the environment back as it was before the last --apply.")
@click.option("--continue", "go_on", is_flag=True, help="Go on after an --apply that was interrupted, with a new plan.")
@click.option(
    "--history",
    "history_",
    is_flag=True,
    help="List what was done, and which ways back are kept; of all environments without --python.",
)
@click.option(
    "--forget",
    "forget_",
    is_flag=True,
    help="Delete the way back, after asking: it frees disk space, and nothing can be undone any more.",
)
@click.option("--edit-project", is_flag=True, help="Allow changes of pyproject.toml, Pipfile and lock files.")
@click.option(
    "--channel",
    type=click.Choice(["stable", "test", "nightly"]),
    default="stable",
    show_default=True,
    help="PyTorch's channel to install from.",
)
@click.option("--index-url", "index", metavar="URL", help="A mirror of the channel's index.")
@click.option(
    "--find-links",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="A folder with all wheels; no index is asked.",
)
@click.option(
    "--download",
    "bundle",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Fetch all wheels for this interpreter into a folder, with their hashes, for --find-links elsewhere.",
)
@FORMAT
@JSON
def fix(
    python: str | None,
    apply_: bool,
    yes: bool,
    undo_: bool,
    go_on: bool,
    history_: bool,
    forget_: bool,
    edit_project: bool,
    channel: str,
    index: str | None,
    folder: str | None,
    bundle: str | None,
    format_: str,
    as_json: bool,
) -> int:
    """Show how to fix what `check` finds; --apply does it.

    Only what changes this environment alone is done.

    \b
    xpu-doctor fix                 the plan; nothing is changed
    xpu-doctor fix --apply         asks, then does it; a way back is kept
    xpu-doctor fix --undo          puts everything back

    Steps that need an administrator are printed, never run. --forget deletes the only way back, and asks first.
    Exit codes as of `check`.
    """
    asked = (apply_, undo_, history_, forget_, bundle)
    modes = [name for name, given in zip(MODES, asked, strict=True) if given]
    if len(modes) > 1:
        raise click.UsageError(f"{' and '.join(modes)} cannot be had together: leave one of them out")
    source = Source(channel, index or "", os.path.abspath(folder) if folder else "")
    again = (*source.options, *(("--edit-project",) if edit_project else ()))
    wishes = Wishes(apply_, yes, go_on, edit_project, as_json or format_ == "json", again)
    _check_wishes(modes, wishes, index, folder)
    if history_ or undo_ or forget_:
        return _of_the_way_back(python, modes[0], wishes)
    from xpu_doctor.cli.fix_steps import apply_plan, examined, show_plan
    from xpu_doctor.cli.fix_wheels import check_folder, download

    choice = _choice(python)
    if bundle:
        return download(choice, source, Path(os.path.abspath(bundle)), wishes)
    check_folder(source)
    patient = examined(choice, source, edit_project=edit_project)
    return apply_plan(patient, wishes) if apply_ else show_plan(patient, wishes)


def _of_the_way_back(python: str | None, mode: str, wishes: Wishes) -> int:
    from xpu_doctor.cli.fix_back import forget_ways_back, go_back, show_history

    if mode == "--history":
        return show_history(_found(python).python if python else "", wishes)
    choice = _choice(python)
    return go_back(choice, wishes) if mode == "--undo" else forget_ways_back(choice, wishes)


def _check_wishes(modes: list[str], wishes: Wishes, index: str | None, folder: str | None) -> None:
    if index and folder:
        raise click.UsageError("--index-url and --find-links: wheels come from the one or the other; leave one out")
    if index is not None and not index.startswith(("https://", "http://", "file:")):
        raise click.UsageError(f"--index-url {index}: not an address; it begins with https://")
    if wishes.go_on and not wishes.apply:
        raise click.UsageError("--continue goes with --apply")
    if wishes.yes and not {"--apply", "--undo", "--forget"} & set(modes):
        raise click.UsageError("--yes answers what --apply, --undo and --forget ask: add one of them, or leave it out")


def _found(python: str | None) -> Choice:
    from xpu_doctor.target.find import Surroundings, TargetError, find_target

    try:
        return find_target(python, Surroundings(os.environ))
    except TargetError as error:
        raise click.UsageError(str(error)) from error


def _choice(python: str | None) -> Choice:
    from xpu_doctor.report.this_process import own_command
    from xpu_doctor.target.rights import foreign_owner

    choice = _found(python)
    owner = foreign_owner(choice.python)
    if owner is not None:
        raise click.UsageError(
            f"{choice.python} belongs to {owner.called}, and you are root: what fix installs would be root's there. "
            f"Run it as that user, for example with: sudo -u {owner.name} {own_command()} fix"
        )
    return choice
