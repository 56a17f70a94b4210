"""Tells a saved JSON report, or a part of one, from prose."""

from __future__ import annotations

from collections.abc import Set

from xpu_doctor.text.late_pattern import late_pattern

_QUOTE = r"""(?:["']|\\"|&quot;|&#34;)"""
_KEY = late_pattern(
    rf"{_QUOTE}(root_causes|undecided|crashed|ladder|verdict|expectations|exit_code|snapshot|level_zero|distributions|installer|shadows|imported|libraries)"
    rf"{_QUOTE}\s{{0,40}}:"
)
_OF_DOCUMENT = frozenset(
    {"root_causes", "undecided", "crashed", "ladder", "verdict", "expectations", "exit_code", "snapshot"}
)
_OF_PARTS = frozenset({"level_zero", "distributions", "installer", "shadows", "imported", "libraries"})
_TELLING = ("root_causes", "ladder", "level_zero")
"""One of them is in every part of a report that can be told."""


def looks_saved(text: str) -> bool:
    """Return whether a text holds a saved report, or a part of one."""
    if not any(_ends_in_quote(word, text) for word in _TELLING):
        return False
    words = {word for word in (*_OF_DOCUMENT, *_OF_PARTS) if word in text}  # quick to look for, unlike the keys
    return _are_of_report(words) and _are_of_report({match[1] for match in _KEY.finditer(text)})


def _ends_in_quote(word: str, text: str) -> bool:
    """Return whether a text holds a word before what may be a quotation mark, as keys stand."""
    at = text.find(word)
    while at >= 0:
        at += len(word)
        if text.startswith(('"', "'", "\\", "&"), at):
            return True
        at = text.find(word, at)
    return False


def _are_of_report(keys: Set[str]) -> bool:
    return {"root_causes", "snapshot"} <= keys or len(keys & _OF_DOCUMENT) >= 3 or len(keys & _OF_PARTS) >= 4
