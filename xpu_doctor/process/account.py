"""Accounts of this machine: whose an environment is, and what gives a process the rights of its owner."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OVERFLOW_UID = 65534
"""`nobody`, and what files of an account look like that a user namespace does not know: not somebody to become."""
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


def rights_of(account: Account | None) -> dict[str, Any]:
    """Return what gives a started process an account's rights; nothing where it keeps those of the doctor."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}
