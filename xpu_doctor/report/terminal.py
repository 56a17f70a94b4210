"""What the terminal can show: colour, width, and which characters its encoding has. No decisions about content."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

MAX_WIDTH = 110
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


@dataclass(frozen=True)
class Terminal:
    """How to write: with colour or without, how wide, with which marks."""

    colour: bool = False
    width: int = 80
    unicode: bool = True

    def style(self, text: str, *names: str) -> str:
        """Return the text in the given styles, or as it is where there is no colour."""
        codes = ";".join(STYLES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and text else text

    def mark(self, name: str) -> str:
        """Return the character for a state of the ladder or a part of a tree."""
        pretty, plain = MARKS[name]
        return pretty if self.unicode else plain


MARKS: Mapping[str, tuple[str, str]] = {
    "ok": ("✓", "+"),
    "fault": ("✗", "x"),
    "blocked": ("↑", "^"),
    "unknown": ("?", "?"),
    "skipped": ("·", "."),
    "branch": ("└─", "`-"),
    "bullet": ("•", "*"),
    "dash": ("—", "-"),
}


def terminal_of(stream: TextIO, environment: Mapping[str, str] | None = None) -> Terminal:
    """Return what a stream can show, by NO_COLOR, FORCE_COLOR, TERM, whether it is a terminal, and its encoding."""
    variables = os.environ if environment is None else environment
    interactive = bool(getattr(stream, "isatty", lambda: False)())
    colour = interactive and not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"
    if variables.get("FORCE_COLOR") and not variables.get("NO_COLOR"):
        colour = True
    if colour and sys.platform == "win32" and interactive:
        colour = _enable_windows_colour(stream)
    width = _columns(stream, variables) if interactive else 80
    return Terminal(colour, max(40, min(width, MAX_WIDTH)), _encodes(stream))


def own_terminal() -> Terminal:
    """Return what stdout can show."""
    return terminal_of(sys.stdout)


def _columns(stream: TextIO, variables: Mapping[str, str]) -> int:
    """Columns by COLUMNS, else of the terminal behind this very stream: descriptor 1 may lead elsewhere."""
    if variables.get("COLUMNS", "").isdecimal() and int(variables["COLUMNS"]):
        return int(variables["COLUMNS"])
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _encodes(stream: TextIO) -> bool:
    """Return whether the stream's encoding has every mark."""
    try:
        "".join(pretty for pretty, _ in MARKS.values()).encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _enable_windows_colour(stream: TextIO) -> bool:
    """Switch the Windows console to ANSI sequences; False where it knows none."""
    import ctypes

    windll: Any = getattr(ctypes, "windll", None)
    if windll is None:
        return False
    handle = windll.kernel32.GetStdHandle(-11 if stream is sys.stdout else -12)
    mode = ctypes.c_uint32()
    return bool(
        windll.kernel32.GetConsoleMode(handle, ctypes.byref(mode))
        and windll.kernel32.SetConsoleMode(handle, mode.value | 0x0004)
    )
