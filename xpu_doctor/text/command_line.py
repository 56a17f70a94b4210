"""A command as one line in which people see where its words begin and end."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.text.late_pattern import late_pattern

PLAIN = late_pattern(r"[^\s'\"`$&|;<>()*?#!]+")
"""Words that need no quotes; those of Windows with their backslashes are among them."""


def command_line(words: Sequence[str]) -> str:
    """Return the words of a command in one line, to read and not to type: nothing within a word changes, so that what hides secrets finds them."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if PLAIN.fullmatch(word):
        return word
    return next((f"{quote}{word}{quote}" for quote in "'\"" if quote not in word), word)
