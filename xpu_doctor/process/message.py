"""One line of a transcript, which anything in the interpreter under examination may have written: bounded, or nothing."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_LINE = 8 << 20
"""Bytes of a line that is still read."""
MAX_NESTING = 40
MAX_DIGITS = 25


def message(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, or None where it is no message: too long, too deep, no JSON, no object."""
    if len(line) > MAX_LINE:
        return None
    try:
        said = json.loads(line, parse_constant=_nothing, parse_int=_whole, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError):
        return None
    return said if isinstance(said, dict) and _shallow(said) else None


def _shallow(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        return depth < MAX_NESTING and all(
            _shallow(item, depth + 1) for item in value.values() if isinstance(item, (dict, list))
        )
    if isinstance(value, list):
        return depth < MAX_NESTING and all(
            _shallow(item, depth + 1) for item in value if isinstance(item, (dict, list))
        )
    return True


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _nothing(constant: str) -> None:
    """NaN and infinity are no values that could be compared or printed."""
