"""Tells a saved JSON report, or a part of one, from prose."""

from __future__ import annotations

import re

_QUOTE = r"""(?:["']|\\"|&quot;|&#34;)"""
_KEY = re.compile(
    rf"{_QUOTE}(root_causes|undecided|crashed|ladder|verdict|expectations|exit_code|snapshot|level_zero|distributions|installer|shadows|imported|libraries)"
    rf"{_QUOTE}\s{{0,40}}:"
)
_OF_DOCUMENT = frozenset(
    {"root_causes", "undecided", "crashed", "ladder", "verdict", "expectations", "exit_code", "snapshot"}
)
_TELLING = ("root_causes", "ladder", "level_zero")
"""One of them is in every part of a report that can be told."""


def looks_saved(text: str) -> bool:
    """Return whether a text holds a saved report, or a part of one."""
    if not any(word in text for word in _TELLING):
        return False
    keys = {match[1] for match in _KEY.finditer(text)}
    return {"root_causes", "snapshot"} <= keys or len(keys & _OF_DOCUMENT) >= 3 or len(keys - _OF_DOCUMENT) >= 4
