"""The account that an environment belongs to, so that root need not run another user's code with its own rights."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OVERFLOW_UID = 65534
"""`nobody`, and what files of an account look like that a user namespace does not know: not somebody to become."""
FILES_ONLY = "With --skip import files are read, and nothing of the environment's own start-up code runs."
START_SECONDS = 5.0
EXEC_FAILED = 126
"""What a launcher script exits with where it may not start the interpreter behind it."""
MARKS = ("pyvenv.cfg", "conda-meta")
"""One of these in a folder says that an environment begins there."""


@dataclass(frozen=True)
class Account:
    """A user of this machine, with all that a process of theirs has."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    name: str = ""
    """Empty where the machine has no such account, as for files of a host's user in a container."""
    home: str = "/"

    @property
    def called(self) -> str:
        """The account in words."""
        return self.name or f"user {self.uid}"

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which the home folder and the user's name are this account's, not root's."""
        kept = {
            name: value
            for name, value in environment.items()
            if not name.startswith(("SUDO_", "XDG_")) and name != "MAIL"
        }
        named = {"USER": self.name, "LOGNAME": self.name} if self.name else {}
        return {**kept, "HOME": self.home, **named}


def owner_of(python: str) -> Account | None:
    """Return the account that an interpreter's environment belongs to, None where that is root, nobody, or not known.

    An interpreter of a venv is a link, so the environment's own folder is asked, and the file only where there is no such folder.
    """
    if os.name != "posix":
        return None
    folder = os.path.dirname(os.path.dirname(os.path.abspath(python)))
    place = folder if any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS) else python
    try:
        status = os.stat(place)
    except OSError:
        return None
    return None if status.st_uid in (0, OVERFLOW_UID) else account(status.st_uid, status.st_gid)


def account(uid: int, gid: int) -> Account:
    """Return the account with a number; `gid` is taken where the machine has no such account."""
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid, gid, (gid,))
    groups = tuple(sorted(os.getgrouplist(entry.pw_name, entry.pw_gid)))
    return Account(uid, entry.pw_gid, groups, entry.pw_name, entry.pw_dir or "/")


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
        done = subprocess.run(
            [python, "-I", "-S", "-c", ""],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
            **rights_of(owner),
        )
    except subprocess.TimeoutExpired:
        return True  # it does start; the examination says that it hangs
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return done.returncode != EXEC_FAILED


def rights_of(account: Account | None) -> dict[str, Any]:
    """Return what gives a started process an account's rights; nothing where it keeps those of the doctor."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}
