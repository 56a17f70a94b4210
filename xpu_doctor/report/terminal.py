"""What the terminal can show: colour, width, and which characters its encoding has. No decisions about content."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

MAX_WIDTH = 120
STYLES: Mapping[str, tuple[str, str]] = {
    "strong": ("1", "1"),
    "quiet": ("38;5;243", ""),
    "good": ("38;5;29", ""),
    "bad": ("38;5;160", "31"),
    "careful": ("38;5;130", ""),
    "note": ("38;5;63", ""),
    "command": ("38;5;63", ""),
}
"""Each style in 256 colours, and in 8, where only red can be read on black as well as on white.

The numbers lie in the part of the palette that no theme changes, and were chosen by their contrast with both.
"""


@dataclass(frozen=True)
class Terminal:
    """How to write: with colour or without, how wide, with which marks."""

    colour: bool = False
    width: int = 80
    unicode: bool = True
    few_colours: bool = False
    """Whether only the first eight colours can be relied on."""

    def style(self, text: str, *names: str) -> str:
        """Return the text in the given styles, or as it is where there is no colour."""
        codes = ";".join(filter(None, (STYLES[name][self.few_colours] for name in names)))
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and text and codes else text

    def mark(self, name: str) -> str:
        """Return the character for a state of the ladder or a part of a tree."""
        pretty, plain = MARKS[name]
        return pretty if self.unicode else plain

    def plain(self, text: str) -> str:
        """Return a sentence with the signs that the doctor's own sentences use, or what stands for them in ASCII."""
        return text if self.unicode else text.translate(PLAIN)

    def wrapped(
        self,
        text: str,
        *,
        indent: int = 0,
        hang: int = 0,
        mark: str = "",
        lead: str = "",
        lead_styles: tuple[str, ...] = (),
        styles: tuple[str, ...] = (),
    ) -> Iterator[str]:
        """Yield a text as lines that fit: after a mark, and with a first word `lead` in styles of its own.

        A path or a URL that is longer than a line stays whole, so that it can be copied.
        """
        first = " " * indent + (f"{self.mark(mark)} " if mark else "")
        whole = self.plain(f"{lead} {text}" if lead else text)
        lines = textwrap.wrap(
            whole,
            self.width,
            initial_indent=first,
            subsequent_indent=" " * (len(first) + hang),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]
        if lead:
            cut = len(first) + len(lead)
            yield self.style(lines[0][:cut], *lead_styles) + self.style(lines[0][cut:], *styles)
            lines = lines[1:]
        yield from (self.style(line, *styles) for line in lines)


MARKS: Mapping[str, tuple[str, str]] = {
    "ok": ("✓", "+"),
    "fault": ("✗", "x"),
    "blocked": ("↑", "^"),
    "unknown": ("?", "?"),
    "skipped": ("·", "."),
    "branch": ("└─", "`-"),
    "bullet": ("•", "*"),
    "dash": ("—", "-"),
    "cut": ("…", "..."),
}
PLAIN = str.maketrans(
    {"→": "->", "…": "...", "—": "-", "–": "-", "’": "'", "“": '"', "”": '"', "×": "x", "≥": ">=", "≤": "<="}
)


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
    return Terminal(colour, max(40, min(width, MAX_WIDTH)), _encodes(stream), _has_few_colours(variables))


def _has_few_colours(variables: Mapping[str, str]) -> bool:
    """Return whether TERM names a terminal of which 256 colours are not known; consoles of Windows and CI jobs set no TERM."""
    term = variables.get("TERM", "")
    return bool(term) and term != "dumb" and "256" not in term and not variables.get("COLORTERM")


def own_terminal(*, on_stderr: bool = False) -> Terminal:
    """Return what stdout, or stderr, can show."""
    return terminal_of(sys.stderr if on_stderr else sys.stdout)


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
