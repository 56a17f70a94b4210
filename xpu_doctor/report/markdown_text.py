"""Texts of others in Markdown: what they hold stays text, in CommonMark, in GitHub's dialect, and for GitHub's own links.

A backslash keeps marks from being Markdown. It does not keep GitHub from turning `@name`, `#12`, `GH-12` and addresses into links
afterwards, which tell strangers of a report and tie it to their issues. A space of no width behind the sign does, and in code
nothing is linked at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.text.visible import visible

APART = "&#8203;"
"""A space of no width, spelt in letters that every encoding has."""
MAX_INLINE = 600
"""Characters that are shown of a text within a line."""
_SPECIAL = re.compile(
    r"""
    (?P<number>\A\d{1,9}(?=[.)](?:\ |\Z)))  # begins a numbered list
    | (?P<sign>\A[#+-])  # begins a heading, a list or a rule
    | (?P<mark>[\\`*_{}\[\]<>|~&!$^=])
    | (?P<link>
        @
        | \#(?=\w)
        | (?<=:)/(?=/)
        | (?<=[gG][hH])-(?=\d)
        | (?<=[wW])[wW](?=[wW]\.)
        | :(?=(?:[A-Za-z_+-]|1st_|2nd_|3rd_|8ball|100:|1234:)[\w+-]{0,40}:)  # the name of a picture
      )
    """,
    re.VERBOSE,
)
_TICKS = re.compile(r"`+")


def escaped(text: str) -> str:
    """Return a text as one line of Markdown that shows it as it is, and links to nothing."""
    return _SPECIAL.sub(_harmless, cut(" ".join(visible(" ".join(text.split()), one_line=True).split())))


def _harmless(match: re.Match[str]) -> str:
    found = match[0]
    if match["number"]:
        return f"{found}{APART}"
    if match["sign"]:
        return f"\\{found}{APART}"
    return f"\\{found}" if match["mark"] else f"{found}{APART}"


def code(text: str) -> str:
    """Return a text as code within a line; what is empty stays so."""
    line = cut(visible(" ".join(text.split()), one_line=True).strip())
    if not line:
        return ""
    ticks = "`" * (1 + _longest(line))
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def fenced(lines: Iterable[str], language: str = "") -> list[str]:
    """Return lines as a block of code that none of them can end."""
    shown = [visible(line) for text in lines for line in (text.splitlines() or [""])]
    fence = "`" * max(3, 1 + max(map(_longest, shown), default=0))
    return [fence + language, *shown, fence]


def cut(text: str, most: int = MAX_INLINE) -> str:
    """Return the beginning and the end of a text that is too long for a line."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _longest(line: str) -> int:
    return max((len(run) for run in _TICKS.findall(line)), default=0)
