"""Which Python a watched command runs, found by looking at files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping

PYTHON = re.compile(r"(?:python|pypy)w?[0-9.]*(?:t|d)?(?:\.exe)?", re.IGNORECASE)
"""Names of interpreters' files."""
FIRST_LINE = 512


def is_python(name: str) -> bool:
    """Return whether a program's file name is that of an interpreter."""
    return PYTHON.fullmatch(os.path.basename(name)) is not None


def python_of(command: str, environment: Mapping[str, str], folder: str = "") -> str:
    """Return the interpreter that a command is, or that the first line of its script names; empty where neither is a Python."""
    path = _found(command, environment, folder)
    if not path or is_python(path):
        return path
    try:
        with open(path, "rb") as stream:
            first = stream.readline(FIRST_LINE)
    except OSError:
        return ""
    words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    named = _found(words[0], environment, folder) if words else ""
    return named if is_python(named) else ""


def python_of_process(pid: int, proc: str = "/proc") -> str:
    """Return the interpreter of a running process, by the path of its environment where it was called by that; empty for another program."""
    try:
        real = os.readlink(f"{proc}/{pid}/exe").removesuffix(" (deleted)")
        if not is_python(real):
            return ""
        with open(f"{proc}/{pid}/cmdline", "rb") as stream:
            called = os.fsdecode(stream.read(4096).split(b"\0")[0])
        with open(f"{proc}/{pid}/environ", "rb") as stream:
            path = next((item[5:] for item in stream.read(1 << 20).split(b"\0") if item.startswith(b"PATH=")), b"")
        folder = os.readlink(f"{proc}/{pid}/cwd")
    except OSError:
        return ""
    found = _found(called, {"PATH": os.fsdecode(path)}, folder)
    return found if found and os.path.realpath(found) == os.path.realpath(real) else real


def _found(command: str, environment: Mapping[str, str], folder: str) -> str:
    """Return the absolute path of a command, its links not followed, since that of an environment is one; empty where there is none."""
    if os.path.dirname(command):
        path = os.path.join(folder, command) if folder else os.path.abspath(command)
        return path if os.path.isfile(path) else ""
    found = shutil.which(command, path=environment.get("PATH"))
    return os.path.abspath(found) if found else ""
