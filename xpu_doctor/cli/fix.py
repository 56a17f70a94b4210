"""`xpu-doctor fix`: a plan from a live check, done step by step on request, verified, and undone."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.options import FORMAT, JSON
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.text.output import to_stderr, to_stdout
from xpu_doctor.treatment.sources import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xpu_doctor.model.facts import Python
    from xpu_doctor.report.document import Document
    from xpu_doctor.report.terminal import Terminal
    from xpu_doctor.target.find import Choice
    from xpu_doctor.treatment.apply import Outcome
    from xpu_doctor.treatment.history import Treatment
    from xpu_doctor.treatment.place import Place
    from xpu_doctor.treatment.plan import Step, TreatmentPlan
    from xpu_doctor.treatment.readiness import Readiness


class Refused(click.ClickException):
    """What was asked for cannot be done, through no fault of the command line."""

    exit_code = int(ExitCode.USAGE)


MODES = ("--apply", "--undo", "--history", "--forget", "--download")


@dataclass(frozen=True)
class Wishes:
    """What the user wants done."""

    apply: bool
    yes: bool
    go_on: bool
    edit_project: bool
    as_json: bool


@dataclass(frozen=True)
class Patient:
    """The environment, as the check found it."""

    choice: Choice
    python: Python
    place: Place | None
    report: Document
    plan: TreatmentPlan
    project: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of a project that the plan may change."""
        return tuple(path for path in self.place.files if not path.is_dir()) if self.place and self.project else ()


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
    """Show how to fix what `check` finds; with --apply, do what changes this environment alone.

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
    wishes = Wishes(apply_, yes, go_on, edit_project, as_json or format_ == "json")
    _check_wishes(wishes, index, folder)
    if wishes.yes and not (apply_ or undo_ or forget_):
        raise click.UsageError("--yes answers what --apply, --undo and --forget ask: add one of them, or leave it out")
    if history_:
        return _history(python, wishes)
    choice = _choice(python)
    if undo_ or forget_:
        return _undo(choice, wishes) if undo_ else _forget(choice, wishes)
    source = Source(channel, index or "", os.path.abspath(folder) if folder else "")
    if bundle:
        return _download(choice, source, Path(os.path.abspath(bundle)), wishes)
    _check_folder(source)
    patient = _examined(choice, wishes, source)
    return _apply(patient, wishes) if apply_ else _show(patient, wishes)


def _check_wishes(wishes: Wishes, index: str | None, folder: str | None) -> None:
    if index and folder:
        raise click.UsageError("--index-url and --find-links: wheels come from the one or the other; leave one out")
    if index is not None and not index.startswith(("https://", "http://", "file:")):
        raise click.UsageError(f"--index-url {index}: not an address; it begins with https://")
    if wishes.go_on and not wishes.apply:
        raise click.UsageError("--continue goes with --apply")


def _found(python: str | None) -> Choice:
    from xpu_doctor.target.find import Surroundings, TargetError, find_target

    try:
        return find_target(python, Surroundings(os.environ))
    except TargetError as error:
        raise click.UsageError(str(error)) from error


def _choice(python: str | None) -> Choice:
    from xpu_doctor.target.rights import foreign_owner

    choice = _found(python)
    owner = foreign_owner(choice.python)
    if owner is not None:
        raise click.UsageError(
            f"{choice.python} belongs to {owner.called}, and you are root: what fix installs would be root's there. "
            f"Run it as that user, for example with: sudo -u {owner.name} xpu-doctor fix"
        )
    return choice


def _examined(choice: Choice, wishes: Wishes, source: Source) -> Patient:
    """Check the environment, and make the plan."""
    from xpu_doctor.api import plan_on
    from xpu_doctor.cli.progress import Progress
    from xpu_doctor.examination.run import now, start
    from xpu_doctor.examination.session import Session
    from xpu_doctor.model.selection import CHECKED, Selection
    from xpu_doctor.report.build import Report

    progress = Progress(enabled=True)
    try:
        with start(Session(choice, Selection(frozenset(CHECKED)), dict(os.environ), tell=progress.begins)) as running:
            planned = plan_on(running, Report(created=now()), edit_project=wishes.edit_project, source=source)
    except SourceError as error:
        raise click.UsageError(str(error)) from error
    finally:
        progress.close()
    return Patient(choice, planned.python, planned.place, planned.report, planned.plan, planned.project)


# ---------------------------------------------------------------------------------------------- the plan


def _show(patient: Patient, wishes: Wishes) -> int:
    """Print the plan, and what stands in its way."""
    if wishes.as_json:
        from xpu_doctor.report.build import deliver

        return deliver(patient.report, "json", None, verbose=False)
    terminal = _terminal()
    readiness = _print_plan(patient, terminal)
    if not any(item.obstacles for item in readiness.values()):
        _show_changes(patient, wishes)
    interrupted = _interrupted(patient)
    if interrupted is not None:
        _say(_of_interrupted(interrupted))
    elif patient.plan.to_run:
        _say("Nothing was changed. `--apply` does the steps that xpu-doctor can do, and keeps a way back.")
    return patient.report.exit_code


def _print_plan(patient: Patient, terminal: Terminal) -> Mapping[int, Readiness]:
    from xpu_doctor.report.plan_text import plan_text

    readiness = _readiness(patient)
    to_stdout(plan_text(patient.report, readiness, terminal), own_sequences=True)
    return readiness


def _readiness(patient: Patient) -> Mapping[int, Readiness]:
    """Look whether each step that can be done may begin; its number in the plan counts from 0."""
    from xpu_doctor.treatment.readiness import Situation, readiness

    if patient.place is None:
        return {}
    situation = Situation(patient.place, patient.python, os.environ, str(patient.place.prefix))
    return {
        number: readiness(step.remedy.steps, situation, lambda line: to_stderr(f"{line} ...\n"))
        for number, step in enumerate(patient.plan.steps)
        if step.runs
    }


# ---------------------------------------------------------------------------------------------- apply


def _apply(patient: Patient, wishes: Wishes) -> int:
    """Do the steps, after asking; stop at the first failure; check again."""
    from xpu_doctor.treatment.project import folder_of
    from xpu_doctor.treatment.rehearsal import contents, difference

    readiness = _readiness(patient) if wishes.as_json else _print_plan(patient, _terminal())
    interrupted = _interrupted(patient)
    if interrupted is not None:
        _refuse_two(interrupted)
    if interrupted is not None and not wishes.go_on:
        _say(_of_interrupted(interrupted))
        return _stopped(patient, wishes, ExitCode.FINDINGS)
    if not patient.plan.to_run or patient.place is None:
        return _stopped(patient, wishes, patient.report.exit_code)
    if any(item.obstacles for item in readiness.values()):
        for obstacle in (found for item in readiness.values() for found in item.obstacles if wishes.as_json):
            _say(f"Not ready: {obstacle.what}: {obstacle.why}. {obstacle.way_out}")
        _say("Nothing was changed: the plan is not ready to be done, as said above.")
        return _stopped(patient, wishes, ExitCode.FINDINGS)
    shown = _show_changes(patient, wishes)
    count = len(patient.plan.to_run)
    what = "this step" if count == 1 else f"these {count} steps"
    if not _agreed(wishes, f"Do {what} now?", "--apply asks before it changes anything"):
        return _stopped(patient, wishes, ExitCode.FINDINGS)
    before = contents(patient.files)
    try:
        return _done(patient, patient.place, interrupted, wishes)
    finally:
        if not shown:
            _print_changes(difference(before, contents(patient.files), folder_of(patient.project)), wishes)


def _show_changes(patient: Patient, wishes: Wishes) -> bool:
    """Print what the steps would write into the files of a project; return whether that was possible."""
    from xpu_doctor.treatment.rehearsal import rehearse

    place = patient.place
    steps = [step for step in patient.plan.to_run if step.changes_project]
    if place is None or not steps:
        return True
    to_stderr("trying the changes of the project on a copy ...\n")
    commands = tuple(command for step in steps for command in step.remedy.steps)
    tried = rehearse(steps[0].remedy.manager, patient.project, commands, place, os.environ)
    if tried.reason:
        _say(f"What changes in the project's files can be shown afterwards only: {tried.reason}.")
        return False
    _print_changes(tried.difference, wishes)
    return True


def _print_changes(difference: str, wishes: Wishes) -> None:
    text = f"\nChanges of the project's files:\n\n{difference}" if difference else "\nNo file of the project changes.\n"
    (to_stderr if wishes.as_json else to_stdout)(text)


def _agreed(wishes: Wishes, question: str, what_asks: str) -> bool:
    """Ask, and say so where the answer is no; anything but a clear yes is a no."""
    if wishes.yes:
        return True
    if not sys.stdin or not sys.stdin.isatty():
        raise Refused(f"{what_asks}, and there is no terminal: add --yes")
    to_stderr(f"\n{question} [y/N] ")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    _say("Nothing was changed.")
    return False


def _stopped(patient: Patient, wishes: Wishes, code: int) -> int:
    """End --apply where not all steps are done: the document is that of the check before them."""
    if wishes.as_json:
        from xpu_doctor.report.build import deliver

        deliver(patient.report, "json", None, verbose=False)
    return code


def _done(patient: Patient, place: Place, interrupted: Treatment | None, wishes: Wishes) -> int:
    from xpu_doctor.treatment.course import begin, finish, proceed, resume
    from xpu_doctor.treatment.errors import TreatmentError

    steps = patient.plan.to_run
    try:
        treatment = (
            resume(interrupted, steps, place)
            if interrupted is not None and interrupted.backup
            else begin(place, steps, os.environ, patient.report.verdict, _tell_backup)
        )
        for number, step in enumerate(steps):
            _say(f"Step {number + 1} of {len(steps)}: {step.remedy.title}")
            treatment, outcome = proceed(treatment, number, step, os.environ, _echo)
            if not outcome.succeeded:
                _say(_failure(step, outcome.done, outcome.reason))
                return _stopped(patient, wishes, ExitCode.FINDINGS)
        after = _examined(patient.choice, Wishes(False, False, False, False, False), Source())
        finish(treatment, os.environ, after.report.verdict, files=patient.files)
    except TreatmentError as error:
        _say(f"Stopped: {error}")
        return _stopped(patient, wishes, ExitCode.TOOL_FAILED)
    return _compared(patient.report, after.report, wishes)


def _compared(before: Document, after: Document, wishes: Wishes) -> int:
    from xpu_doctor.report.build import deliver
    from xpu_doctor.report.plan_text import comparison_text

    if wishes.as_json:
        deliver(after, "json", None, verbose=False)
    else:
        to_stdout("\n" + comparison_text(before, after, _terminal()), own_sequences=True)
    _say("A way back is kept: `xpu-doctor fix --undo` puts everything back, `--forget` frees its disk space.")
    return after.exit_code


def _failure(step: Step, done: int, reason: str) -> str:
    commands = step.remedy.steps
    program = " ".join(commands[done].argv[:4])
    return (
        f"Failed: command {done + 1} of {len(commands)} ({program} ...): {reason}. Nothing further was done. "
        "`xpu-doctor fix --undo` puts everything back; `--apply --continue` makes a new plan from here."
    )


# ---------------------------------------------------------------------------------------------- wheels in a folder


def _check_folder(source: Source) -> None:
    """Refuse a folder of wheels that is not as it was downloaded."""
    from xpu_doctor.treatment.bundle import SUMS, faults, is_sealed
    from xpu_doctor.treatment.errors import TreatmentError

    if not source.folder:
        return
    try:
        wrong = faults(Path(source.folder))
    except TreatmentError as error:
        raise Refused(f"--find-links {error}") from error
    if wrong:
        raise Refused(f"--find-links {source.folder}: {'; '.join(wrong[:5])}. Copy it again from where it was made")
    if not is_sealed(Path(source.folder)):
        _say(f"{source.folder} has no {SUMS}: its wheels are taken as they are, unchecked.")


def _download(choice: Choice, source: Source, folder: Path, wishes: Wishes) -> int:
    """Fetch what an interpreter needs, and list the hashes."""
    from xpu_doctor.api import snapshot_of
    from xpu_doctor.model.unknown import denied
    from xpu_doctor.report.fix_json import fetched_json
    from xpu_doctor.treatment.apply import carry_out
    from xpu_doctor.treatment.bundle import SUMS, fetching, seal
    from xpu_doctor.treatment.errors import TreatmentError

    found = snapshot_of(choice, os.environ)
    if denied(found.installer.has_pip):
        raise Refused(f"{choice.python} has no pip, which --download needs: {choice.python} -m ensurepip brings it")
    step = fetching(found.python, found.torch, found.installer, source, folder)
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        outcome = carry_out(step, os.environ, folder, _echo)
        if outcome.succeeded:
            count = seal(folder)
            _say(
                f"{count} wheels are in {folder}, their hashes in {SUMS}. On the other machine, with PATH for the "
                "environment and DIR for this folder: xpu-doctor fix --python PATH --apply --find-links DIR"
            )
        else:
            _say(_not_fetched(outcome, source.address, folder))
    except (TreatmentError, OSError) as error:
        raise Refused(f"--download {folder}: {error}") from error
    if wishes.as_json:
        _print_json(fetched_json(count, folder, outcome.reason))
    return int(ExitCode.OK if outcome.succeeded else ExitCode.FINDINGS)


def _not_fetched(outcome: Outcome, index: str, folder: Path) -> str:
    """Say why a download failed, the way out, and what is left of it."""
    from xpu_doctor.treatment.bundle import wheels
    from xpu_doctor.treatment.readiness import of_download

    known = of_download(outcome.output, index, "what torch needs")
    parts = [f"Failed: {outcome.reason}."]
    if known is not None:
        parts = [f"Failed: {known.what}: {known.why}. {known.way_out}"]
    if wheels(folder):
        parts.append(f"What was fetched so far stays in {folder}.")
    elif not any(folder.iterdir()):
        folder.rmdir()
    return " ".join(parts)


# ---------------------------------------------------------------------------------------------- the way back


def _interrupted(patient: Patient) -> Treatment | None:
    from xpu_doctor.treatment.history import unfinished

    return unfinished(str(patient.place.prefix)) if patient.place is not None else None


def _of_interrupted(treatment: Treatment) -> str:
    if treatment.at_work:
        return f"Another xpu-doctor is at work on this environment (process {treatment.process})."
    how = "failed" if treatment.state == "failed" else "was interrupted"
    where = f"in step {treatment.step} of {len(treatment.steps)}" if treatment.step else "before its first step"
    return (
        f"An earlier --apply ({treatment.id}) {how} {where}. `xpu-doctor fix --undo` puts everything back; "
        "`xpu-doctor fix --apply --continue` makes a new plan from how it is now and keeps the old way back."
    )


def _kept(choice: Choice) -> tuple[Treatment, ...]:
    """Return what can be undone in an environment, the last treatment first."""
    from xpu_doctor.treatment.course import to_undo

    found = to_undo(choice.python)
    if not found:
        raise Refused(f"{choice.python}: xpu-doctor has changed nothing there that could be undone")
    _refuse_two(found[0])
    return found


def _refuse_two(treatment: Treatment) -> None:
    if treatment.at_work:
        raise Refused(f"another xpu-doctor is at work on this environment (process {treatment.process})")


def _undo(choice: Choice, wishes: Wishes) -> int:
    from xpu_doctor.report.fix_json import not_undone_json, undone_json
    from xpu_doctor.report.plan_text import undone_text
    from xpu_doctor.treatment.course import undo
    from xpu_doctor.treatment.errors import TreatmentError

    last, *earlier = _kept(choice)
    if not _agreed_on_later_changes(last, wishes):
        if wishes.as_json:
            _print_json(not_undone_json())
        return int(ExitCode.FINDINGS)
    try:
        result = undo(last, os.environ, _tell_restore)
    except TreatmentError as error:
        raise Refused(str(error)) from error
    if wishes.as_json:
        _print_json(undone_json(result))
    else:
        to_stdout(undone_text(result, _terminal()), own_sequences=True)
    if result.whole and earlier:
        _say(f"An earlier treatment is still there ({earlier[0].id}); --undo again takes that back, too.")
    return int(ExitCode.OK if result.whole else ExitCode.FINDINGS)


def _agreed_on_later_changes(treatment: Treatment, wishes: Wishes) -> bool:
    """Name what was installed since, and ask: going back takes it back as well."""
    from xpu_doctor.report.plan_text import packages_in_words
    from xpu_doctor.treatment.course import edited_since, since

    packages, files = since(treatment, os.environ), edited_since(treatment)
    if not packages and not files:
        return True
    words = ", ".join(filter(None, (packages_in_words(packages), *files)))
    _say(f"Changed since then, and taken back by --undo as well: {words}.")
    return _agreed(
        wishes, "Put everything back all the same?", "--undo asks before it takes back what was installed since"
    )


def _forget(choice: Choice, wishes: Wishes) -> int:
    """Delete the ways back of an environment, after asking: there is no other."""
    from xpu_doctor.report.fix_json import forgotten_json
    from xpu_doctor.treatment.course import forget

    kept = _kept(choice)
    names = ", ".join(treatment.id for treatment in kept)
    _say(f"To be deleted: the only way back of {kept[0].prefix} ({names}). After that --undo can put nothing back.")
    agreed = _agreed(wishes, "Delete it?", "--forget asks before it deletes the only way back")
    if agreed:
        for treatment in kept:
            forget(treatment)
        _say("The way back is deleted; what was done can no longer be undone.")
    if wishes.as_json:
        _print_json(forgotten_json(kept if agreed else ()))
    return int(ExitCode.OK if agreed else ExitCode.FINDINGS)


def _history(python: str | None, wishes: Wishes) -> int:
    from xpu_doctor.report.fix_json import history_json
    from xpu_doctor.report.plan_text import history_text
    from xpu_doctor.treatment.course import done_to
    from xpu_doctor.treatment.history import damaged, history

    found = done_to(_found(python).python) if python else history()
    to_stdout(history_json(found) if wishes.as_json else history_text(found, _terminal()), own_sequences=True)
    for line in damaged():
        _say(line)
    return int(ExitCode.OK)


# ---------------------------------------------------------------------------------------------- helpers


def _terminal() -> Terminal:
    from xpu_doctor.report.build import own_terminal

    return own_terminal()


def _print_json(text: str) -> None:
    to_stdout(text, own_sequences=True)


def _say(text: str) -> None:
    to_stderr(f"\n{text}\n")


def _echo(data: bytes) -> None:
    """Print what an installer prints, visibly; it may come from another thread."""
    to_stderr(data.decode("utf-8", "replace").replace("\r", "\n"))


def _tell_backup(done: int, count: int) -> None:
    if done == 0:
        to_stderr(f"Keeping a way back: {count} files ...\n")


def _tell_restore(done: int, count: int) -> None:
    if done == 0:
        to_stderr(f"Putting back: {count} files differ ...\n")
