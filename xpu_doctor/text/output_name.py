"""Names of files with `{host}`, `{rank}` and `{time}` in them, so that many machines can write into one folder."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.output_file import OutputError, is_stdout
from xpu_doctor.text.visible import visible

PLACEHOLDERS = ("host", "rank", "time")
"""What may stand in braces."""
LONGEST = 200
"""Characters of one value; a file system takes 255 bytes for a name."""
_BRACES = late_pattern(r"\{\{|\}\}|\{(?P<name>[^{}/\\]*)\}")

Value = Callable[[], str]
"""Returns what stands for a placeholder.

Raises:
    OutputError: that is not known here; the message says what to do.
"""


def filled_in(path: str, values: Mapping[str, Value]) -> str:
    """Return the name of a file with its placeholders replaced; a doubled brace stands for one brace.

    Raises:
        OutputError: a placeholder is none of ours, or its value is not known here.
    """
    if is_stdout(path) or not ("{" in path or "}" in path):
        return path

    def stands_for(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0][0]
        if name not in values:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS if each in values)
            raise OutputError(
                f"-o {visible(path, one_line=True)}: {{{visible(name, one_line=True)}}} stands for nothing: use {known}; {{{{ and }}}} write a brace"
            )
        return as_file_name(values[name]())

    return _BRACES.sub(stands_for, path)


def has_placeholder(path: str) -> bool:
    """Return whether a name has something to fill in."""
    return any(match["name"] is not None for match in _BRACES.finditer(path))


def as_file_name(value: str) -> str:
    """Return a value as a part of a file's name on every system: letters, digits, dots, dashes and underscores, and no hidden file."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", value)[:LONGEST]
    return "_" + plain[1:] if plain.startswith(".") else plain


def make_folder_of(path: str) -> None:
    """Make the folder of a file whose name was filled in, where the folder around it is there; others may make it at the same time.

    That it cannot be made is told where the file is looked at.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(os.path.dirname(folder)):
        with contextlib.suppress(OSError):
            os.mkdir(folder)
