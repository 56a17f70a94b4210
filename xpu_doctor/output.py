"""Writes a report: to stdout whatever its encoding, or to a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path


class OutputError(Exception):
    """The report cannot be written; the message is one line."""


def check_writable(path: str) -> None:
    """Find out before the work whether a report could be written to `path`.

    Raises:
        OutputError: it could not; the message is one line.
    """
    if not path:
        raise OutputError("-o needs the name of a file")
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder")
    if not target.exists() and not target.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {target.parent}")
    asked = target if target.exists() else target.parent
    if not os.access(asked, os.W_OK):
        raise OutputError(f"cannot write {path}: permission denied")


def write(text: str, path: str | None) -> None:
    """Write a report to stdout, or to the file `path`; `-` is stdout too.

    Raises:
        OutputError: it cannot be written; of a regular file nothing is left behind.
    """
    if path is None or path == "-":
        _to_stdout(text)
    elif _is_special(path):
        _through(text, path)
    else:
        _to_file(text, Path(os.path.realpath(path)))


def _to_stdout(text: str) -> None:
    if sys.stdout is None:
        return  # the caller closed it: there is nobody to tell
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout.fileno())
        raise OutputError(f"cannot write to stdout: {error.strerror or error}") from error


def silence(descriptor: int) -> None:
    """Lead a descriptor whose reader has gone or whose disk is full to nowhere, so that the interpreter does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _is_special(path: str) -> bool:
    """Whether a path is a device, a pipe or a socket, which must be written through and never replaced."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _through(text: str, path: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _to_file(text: str, path: Path) -> None:
    temporary = ""
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
