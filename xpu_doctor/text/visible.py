"""Makes visible what a terminal would obey, hide or reorder, and what is no Unicode at all: nothing is cut away."""

from __future__ import annotations

import math
import re
from typing import Any

from xpu_doctor.text.late_pattern import late_pattern

_STEERING = (
    "\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Controls, format characters (direction marks, zero width, tags), line and paragraph separators, lone surrogates, as a regex class."""
_ALL = late_pattern(f"[{_STEERING}]")
_NOT_BREAKS = late_pattern(f"(?![\n\t])[{_STEERING}]")
_BREAK = late_pattern("\r\n")
MAX_DEPTH = 100
"""Nesting of plain values that is still followed."""


def visible(text: str, *, one_line: bool = False) -> str:
    r"""Return a text in which each such character stands as its escape: `\x1b`, `\u202e`; line ends and tabs stay, unless `one_line`.

    A byte that was no UTF-8 (a lone surrogate of `surrogateescape`) becomes `\xe9`, as the byte that it was.
    """
    if text.isprintable():
        return text
    if not one_line:
        text = _BREAK.sub("\n", text)
    return (_ALL if one_line else _NOT_BREAKS).sub(_escape, text)


def is_visible(text: str) -> bool:
    """Return whether a text is one line that shows every one of its characters."""
    return text.isprintable() or _ALL.search(text) is None


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return known or (
        f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    )


def visible_values(value: Any, depth: int = 0) -> Any:
    """Return plain JSON values whose texts, keys too, are visible and whose numbers are finite; what is nested too deep is cut."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if depth >= MAX_DEPTH and isinstance(value, (dict, list, tuple)):
        return "(nested too deep to be shown)"
    if isinstance(value, dict):
        return {visible(str(name)): visible_values(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_values(item, depth + 1) for item in value]
    return value


def described(error: BaseException) -> str:
    """Return an exception as `Type: message` in one line; one whose message cannot be had is named alone."""
    name = type(error).__name__
    try:
        message = " ".join(str(error).split())
    except BaseException:  # __str__ of a stranger may raise anything
        message = ""
    return visible(f"{name}: {message[:2000]}" if message else name, one_line=True)
