"""One line of a transcript, which anything in the interpreter under examination may have written: bounded, or nothing."""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import Any

MAX_LINE = 8 << 20
"""Bytes of a line that is still read."""
MAX_NESTING = 40
MAX_TEXT = 32 * 1024
"""Characters of one text; the agent itself cuts its texts to a quarter of that."""
MAX_ITEMS = 2000
"""Items of one list or table."""
MAX_DIGITS = 25


def message(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, or None where it is no message: too long, too deep, no JSON, no object."""
    if len(line) > MAX_LINE:
        return None
    try:
        said = json.loads(line, parse_constant=_nothing, parse_int=_whole, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError):
        return None
    try:
        return _bounded(said) if isinstance(said, dict) else None
    except _TooDeep:
        return None


class _TooDeep(Exception):
    """A value is nested deeper than any fact."""


def _bounded(value: Any, depth: int = 0) -> Any:
    """Return a value with its texts, lists and tables cut to what no real answer exceeds: the report shows them, and the rules search them."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + " ... (cut)"
    if not isinstance(value, (dict, list)):
        return value
    if depth >= MAX_NESTING:
        raise _TooDeep
    if isinstance(value, list):
        return [_bounded(item, depth + 1) for item in value[:MAX_ITEMS]]
    return {key[:MAX_TEXT]: _bounded(item, depth + 1) for key, item in islice(value.items(), MAX_ITEMS)}


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _nothing(constant: str) -> None:
    """NaN and infinity are no values that could be compared or printed."""
