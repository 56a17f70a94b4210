"""The ways back of `fix`: gone, deleted, and listed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xpu_doctor.cli.fix_talk import Refused, Wishes, agreed, print_json, refuse_two, say
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.report.fix_json import forgotten_json, history_json, not_undone_json, undone_json
from xpu_doctor.report.plan_text import history_text, packages_in_words, undone_text
from xpu_doctor.report.terminal import own_terminal
from xpu_doctor.text.output import to_stderr, to_stdout
from xpu_doctor.treatment.course import done_to, edited_since, forget, since, to_undo, undo
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.history import damaged, history

if TYPE_CHECKING:
    from xpu_doctor.target.find import Choice
    from xpu_doctor.treatment.history import Treatment


def _kept(choice: Choice) -> tuple[Treatment, ...]:
    """Return what can be undone in an environment, the last treatment first."""
    found = to_undo(choice.python)
    if not found:
        raise Refused(f"{choice.python}: xpu-doctor has changed nothing there that could be undone")
    refuse_two(found[0])
    return found


def go_back(choice: Choice, wishes: Wishes) -> int:
    """Put an environment back as it was before the last treatment."""
    last, *earlier = _kept(choice)
    if not _agreed_on_later_changes(last, wishes):
        if wishes.as_json:
            print_json(not_undone_json())
        return int(ExitCode.FINDINGS)
    try:
        result = undo(last, os.environ, _tell_restore)
    except TreatmentError as error:
        raise Refused(str(error)) from error
    if wishes.as_json:
        print_json(undone_json(result))
    else:
        to_stdout(undone_text(result, own_terminal()), own_sequences=True)
    if result.whole and earlier:
        say(f"An earlier treatment is still there ({earlier[0].id}); --undo again takes that back, too.")
    return int(ExitCode.OK if result.whole else ExitCode.FINDINGS)


def _agreed_on_later_changes(treatment: Treatment, wishes: Wishes) -> bool:
    """Name what was installed since, and ask: going back takes it back as well."""
    packages, files = since(treatment, os.environ), edited_since(treatment)
    if not packages and not files:
        return True
    words = ", ".join(filter(None, (packages_in_words(packages), *files)))
    say(f"Changed since then, and taken back by --undo as well: {words}.")
    return agreed(
        wishes, "Put everything back all the same?", "--undo asks before it takes back what was installed since"
    )


def forget_ways_back(choice: Choice, wishes: Wishes) -> int:
    """Delete the ways back of an environment, after asking: there is no other."""
    kept = _kept(choice)
    names = ", ".join(treatment.id for treatment in kept)
    say(f"To be deleted: the only way back of {kept[0].prefix} ({names}). After that --undo can put nothing back.")
    yes = agreed(wishes, "Delete it?", "--forget asks before it deletes the only way back")
    if yes:
        for treatment in kept:
            forget(treatment)
        say("The way back is deleted; what was done can no longer be undone.")
    if wishes.as_json:
        print_json(forgotten_json(kept if yes else ()))
    return int(ExitCode.OK if yes else ExitCode.FINDINGS)


def show_history(python: str, wishes: Wishes) -> int:
    """List what was done to the environment of an interpreter, to all where none is named."""
    found = done_to(python) if python else history()
    to_stdout(history_json(found) if wishes.as_json else history_text(found, own_terminal()), own_sequences=True)
    for line in damaged():
        say(line)
    return int(ExitCode.OK)


def _tell_restore(done: int, count: int) -> None:
    if done == 0:
        to_stderr(f"Putting back: {count} files differ ...\n")
