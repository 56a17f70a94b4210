"""What patterns require of a line besides the words of their row; `tools/update_required_words.py` derives it from the patterns."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from xpu_doctor.tables import text


def required_words(name: str, pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return sets of words, of each of which every match of a row's pattern holds one; none where they were derived from another pattern."""
    made_of, *sets = _rows().get(name, (0,))
    return tuple(map(tuple, sets)) if sets and made_of == fingerprint(pattern) else ()


def fingerprint(pattern: str) -> int:
    """Return a number that tells whether a pattern was changed."""
    return zlib.crc32(pattern.encode())


@cache
def _rows() -> Mapping[str, list[Any]]:
    rows: Mapping[str, list[Any]] = json.loads(text("required_words.json"))
    return rows
