"""Whose rights the interpreter under examination gets, so that root need not run another user's code with its own."""

from __future__ import annotations

import os
from dataclasses import dataclass

from xpu_doctor.process.account import Account, owner_of
from xpu_doctor.process.run import run

FILES_ONLY = "With --skip import files are read, and nothing of the environment's own start-up code runs."
START_SECONDS = 5.0
EXEC_FAILED = 126
"""What a launcher script exits with where it may not start the interpreter behind it."""


@dataclass(frozen=True)
class Rights:
    """Whose rights the interpreter under examination gets."""

    account: Account | None = None
    """None keeps those of the doctor."""
    bare: bool = False
    """Whether nothing of the environment's own start-up code may run where files alone are read: it would run with root's rights."""
    notes: tuple[str, ...] = ()
    """What root must be told before anything runs."""


def rights_for(python: str, as_owner: bool = True) -> Rights:
    """Return the rights for an interpreter: those of its owner, where root examines another user's environment and may become them."""
    owner = foreign_owner(python)
    if owner is None:
        return Rights()
    whose = f"{python} belongs to {owner.called}, and you are root"
    if not as_owner:
        return Rights(
            bare=True, notes=(f"{whose}: what is in that environment runs with root's rights, as --no-as-owner asks.",)
        )
    if not may_become(owner, python):
        return Rights(
            bare=True,
            notes=(
                f"{whose}: it cannot be started with the rights of {owner.called}, so it runs with root's. {FILES_ONLY}",
            ),
        )
    return Rights(
        owner,
        notes=(
            f"{whose}: it is examined with the rights of {owner.called}, and so are the device nodes. --no-as-owner keeps root's.",
        ),
    )


def foreign_owner(python: str) -> Account | None:
    """Return whose environment this is where root is about to examine another user's, else None."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    return owner_of(python)


def may_become(owner: Account, python: str) -> bool:
    """Return whether an interpreter starts with its owner's rights: some containers' root cannot give them, some owners may not start it."""
    try:
        ended = run([python, "-I", "-S", "-c", ""], START_SECONDS, os.environ, account=owner)
    except OSError:
        return False
    return ended.code != EXEC_FAILED  # one that does not end does start: the examination says that it hangs
