"""The course of one treatment: the way back is made and noted before the first step, and each state is noted before it begins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from xpu_doctor.treatment.apply import Echo, Outcome, carry_out
from xpu_doctor.treatment.backup import discard, opened, take, unfinished
from xpu_doctor.treatment.comparison import Difference
from xpu_doctor.treatment.errors import IncompleteWayBack, TreatmentError
from xpu_doctor.treatment.freeze import Frozen, changed, freeze
from xpu_doctor.treatment.history import DoneStep, Treatment, begun, history, keep
from xpu_doctor.treatment.place import KEPT, Place
from xpu_doctor.treatment.plan import Step
from xpu_doctor.treatment.restoration import restore
from xpu_doctor.treatment.scope import key_of
from xpu_doctor.treatment.tree import sha256_of

WORK = "work"
"""The folder, in that of the way back, in which the commands run: wheels that they download lie there."""

Tell = Callable[[int, int], None]
"""Called with how many files are done, of how many."""


@dataclass(frozen=True)
class Undone:
    """What became of an undo."""

    treatment: Treatment
    differences: tuple[Difference, ...]
    """Files that are not as they were; none, as a rule."""
    packages: tuple[tuple[Frozen | None, Frozen | None], ...]
    """Packages that are not as they were, before and now; none, as a rule."""

    @property
    def whole(self) -> bool:
        """Whether everything is as it was."""
        return not self.differences and not self.packages


def to_undo(python: str, state: Path | None = None) -> tuple[Treatment, ...]:
    """Return the treatments of the environment that an interpreter stands in which are not undone, the last one first.

    The interpreter itself need not start.
    """
    return tuple(item for item in reversed(done_to(python, state)) if item.can_be_undone)


def done_to(python: str, state: Path | None = None) -> tuple[Treatment, ...]:
    """Return all treatments of the environment that an interpreter stands in, the oldest first."""
    path = Path(os.path.abspath(python))
    folder = Path(os.path.realpath(path.parent))
    return tuple(item for item in history(state) if path == Path(item.python) or folder.is_relative_to(item.prefix))


def begin(
    place: Place,
    steps: Sequence[Step],
    environment: Mapping[str, str],
    verdict: str,
    tell: Tell,
    state: Path | None = None,
) -> Treatment:
    """Keep what the environment holds, and note what is about to be done.

    Raises:
        TreatmentError: the way back cannot be made, so nothing may be changed.
    """
    _clear(place, state)
    before = freeze(str(place.python), environment)
    treatment = replace(begun(str(place.python), str(place.prefix), _noted(steps), before), verdict_before=verdict)
    keep(treatment, state)
    try:
        backup = take(place, place.kept / treatment.id, tell)
    except TreatmentError:
        keep(replace(treatment, state="undone"), state)  # nothing was changed
        raise
    treatment = replace(treatment, backup=str(backup.folder), seal=backup.seal)
    keep(treatment, state)
    return treatment


def _clear(place: Place, state: Path | None) -> None:
    """Delete what doctors that were killed have left of ways back, and note that their treatments have changed nothing."""
    known = {item.id: item for item in history(state)}
    for item in known.values():
        if Path(item.prefix) == place.prefix and item.unfinished and not item.backup and not item.at_work:
            discard(place.kept / item.id)  # killed before its first step
            keep(replace(item, state="undone"), state)
    for folder in unfinished(place):
        if folder.name not in known or not known[folder.name].at_work:
            discard(folder)


def since(treatment: Treatment, environment: Mapping[str, str]) -> tuple[tuple[Frozen | None, Frozen | None], ...]:
    """Return the packages that somebody else has changed since a treatment was done, which going back takes back as well.

    Of one that reached no end, and of an interpreter that no longer starts, nothing is known.
    """
    if treatment.state != "done":
        return ()
    try:
        return changed(treatment.after, freeze(treatment.python, environment))
    except TreatmentError:
        return ()


def edited_since(treatment: Treatment) -> tuple[str, ...]:
    """Return the files of a project that are not as a treatment left them."""
    return tuple(path for path, was in treatment.files.items() if _hash(Path(path)) != was)


def _hash(path: Path) -> str:
    return sha256_of(str(path)) if path.is_file() else ""


def resume(treatment: Treatment, steps: Sequence[Step], place: Place, state: Path | None = None) -> Treatment:
    """Go on with a treatment that was interrupted, with a new plan: the way back stays that of its beginning.

    Raises:
        TreatmentError: it cannot be noted.
        IncompleteWayBack: its way back lacks files that the new plan changes.
    """
    scope = opened(Path(treatment.backup), treatment.seal).scope
    lacking = [path.name for path in place.files if not scope.allows(key_of(path, place.prefix))]
    if lacking:
        raise IncompleteWayBack(f"the way back that is kept was made without {', '.join(lacking)}")
    fresh = begun(treatment.python, treatment.prefix, _noted(steps))
    treatment = replace(
        treatment, steps=fresh.steps, state="prepared", step=0, process=fresh.process, process_began=fresh.process_began
    )
    keep(treatment, state)
    return treatment


def proceed(
    treatment: Treatment, number: int, step: Step, environment: Mapping[str, str], echo: Echo, state: Path | None = None
) -> tuple[Treatment, Outcome]:
    """Do one step, counted from 0, and note how it ended.

    Raises:
        TreatmentError: what is done cannot be noted, or there is no folder to work in.
    """
    treatment = replace(treatment, state="running", step=number + 1)
    keep(treatment, state)
    folder = Path(treatment.backup, WORK)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise TreatmentError(f"{folder} cannot be made: {error.strerror or error}") from error
    outcome = carry_out(step, environment, folder, echo)
    if not outcome.succeeded:
        treatment = replace(treatment, state="failed")
        keep(treatment, state)
    return treatment, outcome


def finish(
    treatment: Treatment,
    environment: Mapping[str, str],
    verdict: str,
    state: Path | None = None,
    files: Sequence[Path] = (),
) -> Treatment:
    """Note that all steps are done, what is installed now, and what the files of a project hold; the wheels that they downloaded are deleted.

    Raises:
        TreatmentError: it cannot be noted.
    """
    shutil.rmtree(Path(treatment.backup, WORK), ignore_errors=True)
    hashes = {str(path): _hash(path) for path in files}
    after = freeze(treatment.python, environment)
    treatment = replace(treatment, state="done", after=after, files=hashes, verdict_after=verdict)
    keep(treatment, state)
    return treatment


def undo(treatment: Treatment, environment: Mapping[str, str], tell: Tell, state: Path | None = None) -> Undone:
    """Put the environment back as it was before a treatment, and prove it file by file and package by package.

    Raises:
        TreatmentError: there is no whole way back.
    """
    if not treatment.backup:  # killed before its first step: nothing was changed, whatever there is of a way back
        discard(Path(treatment.prefix, KEPT, treatment.id))
        keep(replace(treatment, state="undone"), state)
        return Undone(treatment, (), ())
    differences = restore(opened(Path(treatment.backup), treatment.seal), tell)
    result = Undone(treatment, differences, changed(treatment.before, freeze(treatment.python, environment)))
    if result.whole:
        keep(replace(treatment, state="undone"), state)
        forget(replace(treatment, state="undone"), state)
    return result


def forget(treatment: Treatment, state: Path | None = None) -> None:
    """Delete a way back: its disk space is free again, and undo is no longer possible."""
    if treatment.backup:
        discard(Path(treatment.backup))
        keep(replace(treatment, backup=""), state)


def _noted(steps: Sequence[Step]) -> tuple[DoneStep, ...]:
    return tuple(DoneStep(step.remedy.title, tuple(command.argv for command in step.remedy.steps)) for step in steps)
