"""Where a report may be written: never onto a program, a device, the environment under examination, or through a stranger's link."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.visible import visible

STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
"""Names of stdout."""
_WINDOWS_DEVICE = late_pattern(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:[ .:].*)?",
    re.IGNORECASE,
)
_PROGRAM = (b"\x7fELF", b"MZ", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"!<arch>")
OWN_REPORT = (
    b"{", b"Examined", b"xpu-doctor ", b"Thank you ", b"### xpu-doctor", b"<?xml", b"::error ", b"::warning ", b"::notice ", b"<!DOCTYPE", b"<!doctype"
)  # fmt: skip
"""How a report of any format begins: one on a file system on which everything is executable may be replaced."""
ENVIRONMENT_FOLDERS = ("bin", "scripts", "lib", "lib64", "dlls", "conda-meta", "libexec", "library")
"""Folders of an environment in which its own files lie."""


class OutputError(Exception):
    """The report cannot be written; the message is one line."""


@dataclass(frozen=True)
class Place:
    """A file that a report may be written to."""

    real: str
    """Its absolute path without links."""

    @staticmethod
    def of(path: str | None, python: str | None = None, *, windows: bool = sys.platform == "win32") -> Place | None:
        """Return the place that `-o` names, None for stdout.

        Raises:
            OutputError: nothing may or can be written there; the message says why, and what to do.
        """
        if path is None or is_stdout(path):
            return None
        if not path:
            raise OutputError("-o needs the name of a file")
        if windows and (
            ":" in os.path.splitdrive(path)[1] or _WINDOWS_DEVICE.fullmatch(re.split(r"[\\/]", path)[-1].strip(" ."))
        ):
            raise OutputError(
                f"-o {path}: this is a device of Windows and no file: name a file, or - for standard output"
            )
        name = visible(path, one_line=True)
        try:
            return Place(_checked(path, name, python))
        except OSError as error:
            raise OutputError(f"cannot write {name}: {error.strerror or error}") from error
        except ValueError as error:
            raise OutputError(f"cannot write {name}: {error}") from error


def check_writable(path: str | None, python: str | None = None) -> None:
    """Find out before the work whether a report could be written to `path`.

    Raises:
        OutputError: it could not; the message is one line.
    """
    Place.of(path, python)


def is_stdout(path: str | None) -> bool:
    """Return whether a name of `-o` means stdout."""
    return path is None or path in STDOUT


def check_all_writable(paths: Sequence[str], python: str | None = None, inputs: Sequence[str] = ()) -> None:
    """Find out before the work whether a report could be written to each of several paths, and that no two of them are one.

    None of them is one of `inputs`, the files that are read, `-` being standard input.

    Raises:
        OutputError: it could not; the message is one line.
    """
    seen: dict[str, str] = {}
    for path in paths:
        place = Place.of(path, python)
        if place and any(_is_same_file(place.real, given) for given in inputs):
            raise OutputError(
                f"-o {visible(path, one_line=True)}: this file is read as input, and the report would replace it: name another file"
            )
        real = os.path.normcase(place.real) if place else "-"
        if real in seen:
            raise OutputError(_twice(seen[real], path))
        seen[real] = path


def _is_same_file(output: str, given: str) -> bool:
    """Return whether a file of any name is the one that is read, which may be redirected to standard input."""
    try:
        read = os.fstat(sys.stdin.fileno()) if given == "-" else os.stat(given)
        return os.path.samestat(os.stat(output), read)
    except (OSError, ValueError, AttributeError):  # one of them is not there, or standard input is no file
        return False


def _twice(first: str, second: str) -> str:
    one, other = visible(first, one_line=True), visible(second, one_line=True)
    meant = "is given twice" if one == other else f"and -o {other} are the same place"
    return f"-o {one} {meant}: one report would replace the other; leave one of the two out"


def file_mode(path: str, private: bool) -> int:
    """Return the permissions of a report: those of the file that it replaces, else by the umask; never wider than 0600 where it is private."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode) & 0o666
    except OSError:
        mask = os.umask(0o022)
        os.umask(mask)
        mode = 0o666 & ~mask
    return mode & 0o600 if private else mode


def _checked(path: str, name: str, python: str | None) -> str:
    absolute = os.path.abspath(path)
    stranger = _strangers_link(absolute)
    if stranger:
        raise OutputError(f"-o {name}: {stranger} is a link of another user: name the file itself")
    if absolute.startswith(("/proc/", "/dev/fd/", "/dev/std")):
        raise OutputError(f"-o {name}: this is no file: name a file, or - for standard output")
    real = os.path.realpath(absolute)
    folder = os.path.dirname(real)
    exists = os.path.lexists(real)
    if os.path.isdir(real):
        raise OutputError(f"cannot write {name}: it is a folder")
    if exists and not stat.S_ISREG(os.stat(real).st_mode):
        raise OutputError(
            f"-o {name}: this is a device, a pipe or a socket and no file: name a file, or write to - and redirect that"
        )
    if not os.path.isdir(folder):
        raise OutputError(f"cannot write {name}: there is no folder {folder}")
    if not os.access(folder, os.W_OK) or (exists and not os.access(real, os.W_OK)):
        raise OutputError(f"cannot write {name}: permission denied")
    kept = _kept(real, python)
    if kept:
        raise OutputError(f"-o {name}: {kept}: name a file elsewhere")
    return real


def _kept(real: str, python: str | None) -> str:
    """Why a file must not be replaced, in words, or empty."""
    for interpreter, whose in (
        (python, "the environment that is examined"),
        (sys.executable, "the environment of xpu-doctor itself"),
    ):
        if interpreter and _belongs(real, interpreter):
            return f"this belongs to {whose}"
    return "this is a program" if _is_program(real) else ""


def _belongs(real: str, python: str) -> bool:
    """Return whether a path is an interpreter, or lies among the own files of an environment of it."""
    path = os.path.normcase(real)
    for prefix in _prefixes(python):
        if path.startswith(prefix.rstrip(os.sep) + os.sep):
            first = path[len(prefix.rstrip(os.sep)) + 1 :].split(os.sep)[0].lower()
            if first in ENVIRONMENT_FOLDERS or first == "pyvenv.cfg" or first.endswith((".exe", ".dll", "._pth")):
                return True
    return path in (os.path.normcase(os.path.abspath(python)), os.path.normcase(os.path.realpath(python)))


def _prefixes(python: str) -> Iterator[str]:
    """Folders of the environment of an interpreter, and of the one that it is a link to."""
    for path in (os.path.abspath(python), os.path.realpath(python)):
        folder = os.path.dirname(path)
        prefix = os.path.dirname(folder) if os.path.basename(folder).lower() in ("bin", "scripts") else folder
        yield os.path.normcase(os.path.realpath(prefix))


def _is_program(path: str) -> bool:
    try:
        executable = bool(os.stat(path).st_mode & 0o111) and os.name == "posix"
        with open(path, "rb") as stream:
            start = stream.read(16)
    except OSError:
        return False
    return start.startswith(_PROGRAM) or (executable and not start.startswith(OWN_REPORT))


def _strangers_link(absolute: str) -> str:
    """Return the first link on a path that belongs neither to this user nor to root, or empty."""
    if not hasattr(os, "geteuid"):
        return ""
    path = absolute
    trusted = (os.geteuid(), 0)
    while path != os.path.dirname(path):
        if os.path.islink(path) and os.lstat(path).st_uid not in trusted:
            return path
        path = os.path.dirname(path)
    return ""
