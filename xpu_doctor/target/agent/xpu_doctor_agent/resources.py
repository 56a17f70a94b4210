"""Processors and memory of this process."""

from __future__ import annotations

import os

from .facts import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts


def usable_cpus() -> int:
    """Return the number of logical processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resident_bytes() -> int | Facts:
    """Return the resident memory of this process (Linux)."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return unknown("only /proc tells it")


def difference(after: int | Facts, before: int | Facts) -> int | Facts:
    """Return the difference of two numbers, or unknown where either is."""
    if isinstance(after, dict):
        return after
    if isinstance(before, dict):
        return before
    return after - before
