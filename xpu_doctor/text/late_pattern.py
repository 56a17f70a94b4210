"""Regular expressions that are compiled when they are first needed: whoever reads one text needs few of hundreds. Pure."""

from __future__ import annotations

import re
from typing import Any, cast

_MEMBERS = (
    "search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split", "pattern", "flags", "groups", "groupindex",
)  # fmt: skip


class LatePattern:
    """Stands for a compiled expression, and has its methods once one of them was asked for."""

    def __init__(self, expression: str, flags: int = 0) -> None:
        self._expression = expression
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Compile the expression, and take over what it has: from then on this method is not called."""
        if name not in _MEMBERS:
            raise AttributeError(name)
        compiled = re.compile(self._expression, self._flags)
        vars(self).update((member, getattr(compiled, member)) for member in _MEMBERS)
        return vars(self)[name]


def late_pattern(expression: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that is compiled when it is first searched for.

    Raises, when it is first used:
        re.error: it is no regular expression.
    """
    return cast("re.Pattern[str]", LatePattern(expression, flags))
