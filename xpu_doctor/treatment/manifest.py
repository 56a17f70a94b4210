"""The list of a way back: one line of JSON for each file, and a last one that says that it is whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from xpu_doctor.text.visible import visible
from xpu_doctor.treatment.errors import TreatmentError, reason_of
from xpu_doctor.treatment.scope import Scope, extended
from xpu_doctor.treatment.tree import FOLDER, Entry

NAME, UNFINISHED = "manifest.jsonl", "manifest.part"
SCHEMA = 1
_PLAIN = Entry("", "")


class _Head(msgspec.Struct, frozen=True):
    """The first line."""

    schema: int
    prefix: str
    names: tuple[str, ...] | None
    further: tuple[str, ...] = ()


def write(folder: Path, scope: Scope, entries: tuple[Entry, ...]) -> str:
    """Write the list, which makes a folder a way back; return its SHA-256."""
    head = {"schema": SCHEMA, "prefix": scope.prefix, "names": scope.names, "further": scope.further}
    lines = [head, *map(_plain, entries), {"end": len(entries)}]
    # ASCII alone: a name that is no UTF-8 is in Python a text with lone surrogates, which only an escape can carry.
    content = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode("ascii")
    unfinished = extended(str(folder / UNFINISHED))
    with open(unfinished, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, extended(str(folder / NAME)))
    sync_folder(folder)
    return hashlib.sha256(content).hexdigest()


def read(folder: Path) -> tuple[Scope, tuple[Entry, ...], str]:
    """Return the scope of a way back, what it keeps, and the SHA-256 of its list.

    Raises:
        TreatmentError: there is none, or it is damaged; the message is one line.
    """
    shown = visible(str(folder), one_line=True)
    try:
        with open(extended(str(folder / NAME)), "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise TreatmentError(f"{shown} holds no whole way back") from error
    except OSError as error:
        raise TreatmentError(f"the way back in {shown} cannot be read: {reason_of(error)}") from error
    try:
        lines = [json.loads(line) for line in content.decode("ascii").splitlines()]
        head = msgspec.convert(lines[0], _Head)
        scope = Scope(head.prefix, head.names, head.further)
        entries = tuple(msgspec.convert(line, Entry) for line in lines[1:-1])
        whole = lines[-1] == {"end": len(entries)} and head.schema == SCHEMA
        # Each folder comes before its content, so that nothing is ever written through a link that stands in a folder's place.
        if not whole or next(_misplaced(scope, entries), None) is not None:
            raise ValueError("it is not whole")
    except (ValueError, IndexError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise TreatmentError(f"the list of the way back in {shown} is damaged") from error
    return scope, entries, hashlib.sha256(content).hexdigest()


def is_whole(folder: Path) -> bool:
    """Return whether a folder has the mark of a whole way back."""
    return os.path.isfile(extended(str(folder / NAME)))


def forget(folder: Path) -> None:
    """Take that mark away."""
    try:
        os.unlink(extended(str(folder / NAME)))
    except OSError:
        pass


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # a file system that cannot
        pass
    finally:
        os.close(handle)


def _plain(entry: Entry) -> dict[str, Any]:
    fields = ((name, getattr(entry, name)) for name in Entry.__slots__)
    return {name: value for name, value in fields if value != getattr(_PLAIN, name)}


def _misplaced(scope: Scope, entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """Yield the entries that lie outside of the scope, or in what is no folder of the list."""
    folders = {""}
    for entry in entries:
        top = entry.key in scope.further or "/" not in entry.key
        if not scope.allows(entry.key) or not (top or entry.parent in folders):
            yield entry
        if entry.kind == FOLDER:
            folders.add(entry.key)
