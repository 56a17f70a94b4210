"""Compares an environment with its way back, file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from xpu_doctor.treatment.backup import Backup
from xpu_doctor.treatment.errors import reason_of
from xpu_doctor.treatment.tree import (
    FILE,
    FOLDER,
    LINK,
    Entry,
    looked_at,
    same_bytes,
    same_mode,
    sha256_of,
    walk,
)


class Change(Enum):
    """How a file differs from what was kept of it."""

    MISSING = "is missing"
    ADDED = "was added"
    KIND = "is of another kind"
    CONTENT = "has other content"
    TIME = "has another time"
    MODE = "has other permissions"
    OWNER = "has another owner"
    LOST = "was written in place: its content of before is lost"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True)
class Difference:
    """One file that is not as it was."""

    path: str
    """From the prefix, with `/` between the names; a whole path where it lies outside."""
    change: Change
    reason: str = ""
    """Why it could not be read, or not be put back."""
    kept: Entry | None = None
    """What was there, None where it was added."""
    found: Entry | None = None
    """What is there, None where it is missing."""


def differences(backup: Backup) -> tuple[Difference, ...]:
    """Return what is not as it was when the way back was made: content of all files, times, permissions; the time of a folder is none."""
    return tuple(_differences(backup))


def _differences(backup: Backup) -> Iterator[Difference]:
    shut: dict[str, OSError] = {}
    found = {entry.key: entry for entry in walk(backup.scope, shut.__setitem__)}
    kept = {entry.key: entry for entry in backup.entries}
    for key, error in shut.items():
        yield Difference(key, Change.UNREADABLE, reason_of(error), kept.get(key))
    for key, entry in kept.items():
        if key not in shut:
            yield from _compared(backup, entry, found.get(key))
    for key, entry in found.items():
        if key not in kept:
            yield Difference(key, Change.ADDED, "", None, entry)


def _compared(backup: Backup, kept: Entry, found: Entry | None) -> Iterator[Difference]:
    try:
        change = _change(backup, kept, found)
    except OSError as error:
        yield Difference(kept.key, Change.UNREADABLE, reason_of(error), kept, found)
        return
    if change is not None:
        yield Difference(kept.key, change, "", kept, found)


def _change(backup: Backup, kept: Entry, found: Entry | None) -> Change | None:
    if found is None:
        return Change.MISSING
    if kept.kind != found.kind:
        return Change.KIND
    if kept.kind == LINK:
        return Change.CONTENT if kept.target != found.target else None
    if kept.kind == FILE:
        change = _content(backup, kept, found)
        if change is not None:
            return change
        if kept.mtime_ns != found.mtime_ns:
            return Change.TIME
    if not same_mode(kept.mode, found.mode):
        return Change.MODE
    return Change.OWNER if may_give_away() and (kept.uid, kept.gid) != (found.uid, found.gid) else None


def _content(backup: Backup, kept: Entry, found: Entry) -> Change | None:
    path = backup.scope.located(kept.key)
    if kept.sha256:
        return None if kept.size == found.size and sha256_of(path) == kept.sha256 else Change.CONTENT
    large = backup.large(kept)
    if is_lost(backup, kept):
        return Change.LOST
    if os.path.samefile(path, large):
        return None
    return None if kept.size == found.size and same_bytes(path, large) else Change.CONTENT


def is_lost(backup: Backup, kept: Entry) -> bool:
    """Return whether a linked file was changed through its other name: the link shows that too."""
    large = looked_at(backup.large(kept), kept.key)
    return large is None or large.kind != FILE or (large.size, large.mtime_ns) != (kept.size, kept.mtime_ns)


def may_give_away() -> bool:
    """Return whether this process may set the owner of a file: only then is another owner a difference."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def folders(backup: Backup) -> tuple[Entry, ...]:
    """Return the folders of a way back, the deepest ones first."""
    return tuple(entry for entry in reversed(backup.entries) if entry.kind == FOLDER)
