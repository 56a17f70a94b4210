"""Versions as people and programs write them, read as numbers that can be compared."""

from __future__ import annotations

import re
from functools import lru_cache

_LEADING = re.compile(r"\s{0,40}v?(\d{1,9}(?:\.\d{1,9}){0,5})")
_FIRST_TWO = re.compile(r"\D{0,80}(\d{1,9})\.(\d{1,9})")


@lru_cache(maxsize=1024)
def numbers(version: str) -> tuple[int, ...]:
    """Return the leading dotted numbers of a version: `2.5.1+cxx11.abi` gives (2, 5, 1); empty where it begins with none."""
    match = _LEADING.match(version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def release(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version such as `6.8.0-45-generic`; (0, 0) where there are none."""
    found = _FIRST_TWO.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
