"""What people name on a command line, found as a stream: folders, patterns, files, archives, standard input."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from xpu_doctor.fleet.archives import reports_in
from xpu_doctor.fleet.model import Problem, ProblemKind
from xpu_doctor.fleet.names import STANDARD_INPUT, is_general, promises_reports
from xpu_doctor.fleet.streams import Blob, printable

PACKED = (".gz", ".tgz", ".tar", ".bz2", ".xz", ".jsonl", ".ndjson")
"""Endings of files in a folder that may hold more than one report."""
MAX_DEPTH = 16
"""Folders within each other."""


class File(NamedTuple):
    """A file that may be a report."""

    path: str
    label: str


Item = File | Blob | Problem


class NoInput(ValueError):
    """Something that was named is not there; the message is one line."""


def items(paths: Iterable[str], standard_input: BinaryIO | None = None) -> Iterator[Item]:
    """Yield what may be a report, in no order that matters.

    Raises:
        NoInput: a path names nothing; before anything is yielded.
    """
    yield from _items(named(paths), standard_input)


def named(paths: Iterable[str]) -> list[str]:
    """Return what paths stand for, patterns as the files that they name.

    Raises:
        NoInput: a path names nothing.
    """
    return [each for path in paths for each in _named(path)]


def _named(path: str) -> list[str]:
    """Return what a path stands for: itself, or the files of a pattern."""
    if path == "-" or os.path.lexists(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not found:
        raise NoInput(f"{path}: there is no such file or folder")
    return found


def _items(paths: list[str], standard_input: BinaryIO | None) -> Iterator[Item]:
    for path in paths:
        if path == "-":
            if standard_input is None:
                raise NoInput("standard input is closed: name a file or a folder")
            yield from _or_empty(reports_in(standard_input, STANDARD_INPUT), STANDARD_INPUT, ProblemKind.CUT)
        elif os.path.isdir(path):
            yield from _folder(path, "", 0)
        else:
            yield from _opened(path, _label(path))


def _label(path: str) -> str:
    """Return what a file that was named is called: with its folder where its own name says nothing of a node."""
    folder, name = os.path.split(path)
    folder = os.path.basename(folder)
    return printable(f"{folder}/{name}" if folder.strip(".") and is_general(name) else name)


def _opened(path: str, label: str) -> Iterator[Item]:
    """Yield what a file holds that was named, or that may hold many reports."""
    try:
        # One that blocks for ever where it is a pipe that nobody writes to; what is no plain file is looked at only if it was named.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        yield Problem(label, ProblemKind.UNREADABLE, error.strerror or str(error))
        return
    with os.fdopen(handle, "rb", buffering=0) as stream:
        mode = os.fstat(handle).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            yield Problem(label, ProblemKind.FOREIGN, "no plain file")
            return
        if stat.S_ISFIFO(mode):
            os.set_blocking(handle, True)
        lost = stat.S_ISFIFO(mode) or promises_reports(label)
        yield from _or_empty(reports_in(stream, label), label, ProblemKind.CUT if lost else ProblemKind.FOREIGN)


def _or_empty(found: Iterator[Blob | Problem], label: str, kind: ProblemKind) -> Iterator[Item]:
    """Yield what was found, and where that is nothing, that the file is empty."""
    first = next(found, None)
    yield first or Problem(label, kind, "empty")
    yield from found


def _folder(folder: str, label: str, depth: int) -> Iterator[Item]:
    """Yield the files of a folder and of those in it; links are not followed, hidden files are passed over."""
    try:
        entries = os.scandir(folder)
    except OSError as error:
        yield Problem(label or printable(folder), ProblemKind.UNREADABLE, error.strerror or str(error))
        return
    with entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            yield from _entry(entry, printable(f"{label}/{entry.name}" if label else entry.name), depth)


def _entry(entry: os.DirEntry[str], label: str, depth: int) -> Iterator[Item]:
    if entry.is_symlink():
        yield Problem(label, ProblemKind.LINK, "a link in a folder is not followed: name it itself")
    elif entry.is_dir(follow_symlinks=False):
        if depth >= MAX_DEPTH:
            yield Problem(label, ProblemKind.UNREADABLE, f"more than {MAX_DEPTH} folders within each other")
        else:
            yield from _folder(entry.path, label, depth + 1)
    elif not entry.is_file(follow_symlinks=False):
        yield Problem(label, ProblemKind.FOREIGN, "no plain file")
    elif entry.name.lower().endswith(PACKED):
        yield from _opened(entry.path, label)
    else:
        yield File(entry.path, label)
