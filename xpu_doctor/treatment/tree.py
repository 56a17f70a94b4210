"""A tree of files as data: what lies there, and whether two files are the same."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from xpu_doctor.treatment.scope import Scope

PART = ".xpu-doctor-part"
"""The name of a file that is about to replace another one in the same folder."""
PIECE = 1 << 20
"""Bytes that are read at once."""
FOLDER, FILE, LINK = "folder", "file", "link"
_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: a folder of Windows that is another one's name (Microsoft [MS-FSCC] 2.1.2.1)."""

Tell = Callable[[int, int], None]
"""Called with how many files are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, symbolic link or folder of a tree, and where the way back keeps its content."""

    key: str
    """Its path from the prefix with `/` between the names, or a whole path where it lies outside."""
    kind: str
    mode: int = 0
    size: int = 0
    mtime_ns: int = 0
    uid: int = 0
    gid: int = 0
    target: str = ""
    """Where a symbolic link leads."""
    sha256: str = ""
    """Of a file that was copied; empty of one that was linked."""
    offset: int = -1
    """Where its content begins in the packed file."""
    number: int = -1
    """Its name among the large files."""

    @property
    def parent(self) -> str:
        """The key of the folder that it lies in, empty at the top."""
        return self.key.rpartition("/")[0]


def walk(scope: Scope, unreadable: Callable[[str, OSError], None]) -> Iterator[Entry]:
    """Yield what a scope holds, folders before their content; `unreadable` is told which could not be looked at.

    Sockets, pipes, devices and junctions are no content of packages: they are passed over.
    """
    seen: set[str] = set()
    waiting = sorted(scope.tops(), reverse=True)
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        try:
            entry = looked_at(scope.located(key), key)
            if entry is not None and entry.kind == FOLDER:
                names = os.listdir(scope.located(key))
                waiting += sorted((f"{key}/{name}" for name in names if name != PART), reverse=True)
        except FileNotFoundError:  # a top that is not there, or something that went while the walk was under way
            continue
        except OSError as error:
            unreadable(key, error)
            continue
        if entry is not None:
            yield entry


def looked_at(path: str, key: str) -> Entry | None:
    """Return what lies at a path, without its content; None where it is no content of packages.

    Raises:
        OSError: nothing is there, or it cannot be looked at.
    """
    status = os.lstat(path)
    kind = _kind(status)
    if kind is None:
        return None
    target = os.readlink(path) if kind == LINK else ""
    size = status.st_size if kind == FILE else 0
    return Entry(
        key, kind, stat.S_IMODE(status.st_mode), size, status.st_mtime_ns, status.st_uid, status.st_gid, target
    )


def _kind(status: Any) -> str | None:
    if stat.S_ISLNK(status.st_mode):
        return LINK
    if getattr(status, "st_reparse_tag", 0) == _JUNCTION:
        return None
    if stat.S_ISDIR(status.st_mode):
        return FOLDER
    return FILE if stat.S_ISREG(status.st_mode) else None


def sha256_of(path: str) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with open(path, "rb") as file:
        return copied(file.read, lambda piece: None)


def copied(read: Callable[[int], bytes], write: Callable[[bytes], Any]) -> str:
    """Pass a content on, piece by piece; return its SHA-256."""
    digest = hashlib.sha256()
    while piece := read(PIECE):
        digest.update(piece)
        write(piece)
    return digest.hexdigest()


def same_bytes(one: str, other: str) -> bool:
    """Return whether two files have the same content."""
    with open(one, "rb") as first, open(other, "rb") as second:
        while True:
            piece = first.read(PIECE)
            if piece != second.read(PIECE):
                return False
            if not piece:
                return True


def same_mode(one: int, other: int) -> bool:
    """Return whether two permissions are the same: of Windows' files only whether they may be written counts."""
    return (one ^ other) & (stat.S_IWRITE if os.name == "nt" else 0o7777) == 0
