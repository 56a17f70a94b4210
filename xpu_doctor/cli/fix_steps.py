"""The plan of `fix`: shown, and done step by step on request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpu_doctor.api import plan_on
from xpu_doctor.cli.fix_talk import Refused, Wishes, agreed, call, echo, refuse_two, say
from xpu_doctor.cli.progress import Progress
from xpu_doctor.examination.run import now, start
from xpu_doctor.examination.session import Session
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.selection import CHECKED, Selection
from xpu_doctor.remedies.own_environment import REFUSED
from xpu_doctor.report.build import Report, deliver
from xpu_doctor.report.fix_json import foreseen, with_changes
from xpu_doctor.report.plan_text import comparison_text, plan_text
from xpu_doctor.report.terminal import own_terminal
from xpu_doctor.text.output import to_stderr, to_stdout
from xpu_doctor.treatment.course import begin, finish, proceed, resume
from xpu_doctor.treatment.errors import IncompleteWayBack, TreatmentError
from xpu_doctor.treatment.history import unfinished
from xpu_doctor.treatment.project import folder_of
from xpu_doctor.treatment.readiness import Situation, readiness
from xpu_doctor.treatment.rehearsal import Contents, Rehearsal, contents, difference, rehearse
from xpu_doctor.treatment.sources import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xpu_doctor.model.facts import Python
    from xpu_doctor.report.document import Document
    from xpu_doctor.report.terminal import Terminal
    from xpu_doctor.target.find import Choice
    from xpu_doctor.treatment.apply import Outcome
    from xpu_doctor.treatment.history import Treatment
    from xpu_doctor.treatment.place import Place
    from xpu_doctor.treatment.plan import Step, TreatmentPlan
    from xpu_doctor.treatment.readiness import Readiness

FETCHES = "; {} downloads whole wheels for that where the index does not serve their requirements apart"
COSTS = {manager: FETCHES.format(manager) for manager in ("poetry", "pdm")}
"""What a trial may cost, said before it begins; no option of theirs avoids it."""


@dataclass(frozen=True)
class Patient:
    """The environment, as the check found it."""

    choice: Choice
    python: Python
    place: Place | None
    report: Document
    plan: TreatmentPlan
    project: str
    hide: Callable[[str], str]
    """Returns a further text for the report without what is private."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of a project that the plan may change."""
        return (
            tuple(path for path in self.place.files if not os.path.isdir(path)) if self.place and self.project else ()
        )


def examined(choice: Choice, source: Source, *, edit_project: bool = False) -> Patient:
    """Check the environment, and make the plan.

    Raises:
        Refused: nothing named the environment, and it is the doctor's own.
    """
    progress = Progress(enabled=True)
    try:
        with start(Session(choice, Selection(frozenset(CHECKED)), dict(os.environ), tell=progress.begins)) as running:
            planned = plan_on(running, Report(created=now()), edit_project=edit_project, source=source)
    except SourceError as error:
        raise click.UsageError(str(error)) from error
    finally:
        progress.close()
    if planned.own:
        raise Refused(f"{choice.python}: {REFUSED}")
    return Patient(choice, planned.python, planned.place, planned.report, planned.plan, planned.project, planned.hide)


def show_plan(patient: Patient, wishes: Wishes) -> int:
    """Print the plan, and what stands in its way."""
    if wishes.as_json:
        readiness = _readiness(patient)
        changes = _rehearsed(patient) if _is_ready(readiness) else None
        return deliver(foreseen(patient.report, readiness, changes, patient.hide), "json")
    readiness = _print_plan(patient, own_terminal())
    if _is_ready(readiness):
        _show_changes(_rehearsed(patient), wishes)
    interrupted = _interrupted(patient)
    if interrupted is not None:
        say(_of_interrupted(interrupted, wishes))
    elif patient.plan.to_run and not _is_ready(readiness):
        say(
            "Nothing was changed, and --apply would change nothing before what is not ready, as said above, is out of the way."
        )
    elif patient.plan.to_run:
        say(
            "Nothing was changed. This does the steps that xpu-doctor can do, after asking, and keeps a way back:\n"
            f"    {call(patient.choice.python, '--apply', *wishes.again)}"
        )
    return patient.report.exit_code


def _print_plan(patient: Patient, terminal: Terminal) -> Mapping[int, Readiness]:
    readiness = _readiness(patient)
    to_stdout(plan_text(patient.report, readiness, terminal), own_sequences=True)
    return readiness


def _readiness(patient: Patient) -> Mapping[int, Readiness]:
    """Look whether each step that can be done may begin; its number in the plan counts from 0."""
    if patient.place is None:
        return {}
    situation = Situation(patient.place, patient.python, os.environ, str(patient.place.prefix))
    return {
        number: readiness(step.remedy.steps, situation, lambda line: to_stderr(f"{line} ...\n"))
        for number, step in enumerate(patient.plan.steps)
        if step.runs
    }


def _is_ready(readiness: Mapping[int, Readiness]) -> bool:
    return not any(item.obstacles for item in readiness.values())


def apply_plan(patient: Patient, wishes: Wishes) -> int:
    """Do the steps, after asking; stop at the first failure; check again."""
    readiness = _readiness(patient) if wishes.as_json else _print_plan(patient, own_terminal())
    interrupted = _interrupted(patient)
    if interrupted is not None:
        refuse_two(interrupted)
    if interrupted is not None and not wishes.go_on:
        say(_of_interrupted(interrupted, wishes))
        return _stopped(patient, wishes, ExitCode.FINDINGS)
    if not patient.plan.to_run or patient.place is None:
        return _stopped(patient, wishes, patient.report.exit_code)
    if not _is_ready(readiness):
        for obstacle in (found for item in readiness.values() for found in item.obstacles if wishes.as_json):
            say(f"Not ready: {obstacle.what}: {obstacle.why}. {obstacle.way_out}")
        say("Nothing was changed: the plan is not ready to be done, as said above.")
        return _stopped(patient, wishes, ExitCode.FINDINGS, readiness)
    changes = _rehearsed(patient)
    shown = _show_changes(changes, wishes)
    count = len(patient.plan.to_run)
    what = "this step" if count == 1 else f"these {count} steps"
    if not agreed(wishes, f"Do {what} now?", "--apply asks before it changes anything"):
        return _stopped(patient, wishes, ExitCode.FINDINGS, readiness, changes)
    before = contents(patient.files)
    try:
        return _done(patient, patient.place, interrupted, wishes, before)
    finally:
        if not shown:
            _print_changes(_written(patient, before), wishes)


def _written(patient: Patient, before: Contents) -> str:
    """Return what was written into the files of a project."""
    return difference(before, contents(patient.files), folder_of(patient.project))


def _rehearsed(patient: Patient) -> Rehearsal | None:
    """Try what the steps would write into the files of a project; None where there is no project."""
    place = patient.place
    steps = [step for step in patient.plan.to_run if step.changes_project]
    if place is None or not steps:
        return None
    manager = steps[0].remedy.manager
    to_stderr(f"trying the changes of the project on a copy{COSTS.get(manager, '')} ...\n")
    commands = tuple(command for step in steps for command in step.remedy.steps)
    return rehearse(manager, patient.project, commands, place, os.environ)


def _show_changes(changes: Rehearsal | None, wishes: Wishes) -> bool:
    """Print what the steps would write into the files of a project; return whether that is known."""
    if changes is not None and changes.reason:
        say(f"What changes in the project's files can be shown afterwards only: {changes.reason}.")
        return False
    if changes is not None:
        _print_changes(changes.difference, wishes)
    return True


def _print_changes(difference: str, wishes: Wishes) -> None:
    text = f"\nChanges of the project's files:\n\n{difference}" if difference else "\nNo file of the project changes.\n"
    (to_stderr if wishes.as_json else to_stdout)(text)


def _stopped(
    patient: Patient,
    wishes: Wishes,
    code: int,
    readiness: Mapping[int, Readiness] | None = None,
    changes: Rehearsal | None = None,
) -> int:
    """End --apply where not all steps are done: the document is that of the check before them."""
    if wishes.as_json:
        deliver(foreseen(patient.report, readiness or {}, changes, patient.hide), "json")
    return code


def _done(patient: Patient, place: Place, interrupted: Treatment | None, wishes: Wishes, before: Contents) -> int:
    steps = patient.plan.to_run
    try:
        treatment = (
            resume(interrupted, steps, place)
            if interrupted is not None and interrupted.backup
            else begin(place, steps, os.environ, patient.report.verdict, _tell_backup)
        )
        for number, step in enumerate(steps):
            say(f"Step {number + 1} of {len(steps)}: {step.remedy.title}")
            treatment, outcome = proceed(treatment, number, step, os.environ, echo)
            if not outcome.succeeded:
                say(_failure(patient.choice.python, step, outcome, wishes))
                return _stopped(patient, wishes, ExitCode.FINDINGS)
        after = examined(patient.choice, Source())
        finish(treatment, os.environ, after.report.verdict, files=patient.files)
    except IncompleteWayBack as error:
        back = call(patient.choice.python, "--undo")
        say(f"Stopped: {error}. This puts everything back; a new --apply works then:\n    {back}")
        return _stopped(patient, wishes, ExitCode.FINDINGS)
    except TreatmentError as error:
        say(f"Stopped: {error}")
        return _stopped(patient, wishes, ExitCode.TOOL_FAILED)
    written = Rehearsal(_written(patient, before)) if patient.files else None
    return _compared(patient, with_changes(after.report, written, patient.hide), wishes)


def _compared(before: Patient, after: Document, wishes: Wishes) -> int:
    if wishes.as_json:
        deliver(after, "json")
    else:
        to_stdout("\n" + comparison_text(before.report, after, own_terminal()), own_sequences=True)
    python = before.choice.python
    say(
        f"A way back is kept. This puts everything back:\n    {call(python, '--undo')}\n"
        f"This frees its disk space, and nothing can be undone then:\n    {call(python, '--forget')}"
    )
    return after.exit_code


def _failure(python: str, step: Step, outcome: Outcome, wishes: Wishes) -> str:
    commands = step.remedy.steps
    program = " ".join(commands[outcome.done].argv[:4])
    return (
        f"Failed: command {outcome.done + 1} of {len(commands)} ({program} ...): {outcome.reason}. Nothing further was done. "
        f"This puts everything back:\n    {call(python, '--undo')}\n"
        f"This makes a new plan from here:\n    {call(python, '--apply', '--continue', *wishes.again)}"
    )


def _interrupted(patient: Patient) -> Treatment | None:
    return unfinished(str(patient.place.prefix)) if patient.place is not None else None


def _of_interrupted(treatment: Treatment, wishes: Wishes) -> str:
    if treatment.at_work:
        return f"Another xpu-doctor is at work on this environment (process {treatment.process})."
    how = "failed" if treatment.state == "failed" else "was interrupted"
    where = f"in step {treatment.step} of {len(treatment.steps)}" if treatment.step else "before its first step"
    return (
        f"An earlier --apply ({treatment.id}) {how} {where}. This puts everything back:\n"
        f"    {call(treatment.python, '--undo')}\n"
        "This makes a new plan from how it is now and keeps the old way back:\n"
        f"    {call(treatment.python, '--apply', '--continue', *wishes.again)}"
    )


def _tell_backup(done: int, count: int) -> None:
    if done == 0:
        to_stderr(f"Keeping a way back: {count} files ...\n")
