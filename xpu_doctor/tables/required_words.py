"""What patterns require of a line besides the words of their row; `tools/update_required_words.py` derives it from the patterns."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from xpu_doctor.tables import text


def required_words(name: str, pattern: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Return the alternatives of a row's pattern: sets of words, of each of which every match holds one.

    Where they were derived from another pattern there is one alternative, which requires nothing.
    """
    made_of, *alternatives = _rows().get(name, (0,))
    if not alternatives or made_of != fingerprint(pattern):
        return ((),)
    return tuple(tuple(map(tuple, sets)) for sets in alternatives)


def fingerprint(pattern: str) -> int:
    """Return a number that tells whether a pattern was changed."""
    return zlib.crc32(pattern.encode())


@cache
def _rows() -> Mapping[str, list[Any]]:
    rows: Mapping[str, list[Any]] = json.loads(text("required_words.json"))
    return rows
