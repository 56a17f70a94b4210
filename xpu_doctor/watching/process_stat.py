"""Reads one `/proc/PID/stat`: who the parent is, and what the process has used so far."""

from __future__ import annotations

import os
from typing import NamedTuple

TICKS: float = float(os.sysconf("SC_CLK_TCK")) if hasattr(os, "sysconf") else 100.0
"""Clock ticks of a second, in which the kernel counts CPU time."""
PAGE: int = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
LEAST_FIELDS = 20
"""Fields after the name up to the start time; a kernel that prints fewer is none that this reader knows."""
ENDED = "ZXx"
"""States of a process that runs no more, but was not waited for yet."""


class ProcessStat(NamedTuple):
    """What one reading of `/proc/PID/stat` says; times in seconds."""

    name: str
    """At most 15 bytes, as the kernel keeps it."""
    state: str
    parent: int
    group: int
    session: int
    started: int
    """Clock ticks after the start of the machine; with the pid it tells processes apart."""
    cpu: float
    """Of all threads, those that ended included."""
    children_cpu: float
    """Of children that have ended and were waited for, and of theirs."""
    io_wait: float
    """Of the first thread; 0 where the kernel does not count it."""
    memory: int
    """Resident bytes."""
    image: bytes
    """Changes when the process becomes another program (execve)."""

    @property
    def ended(self) -> bool:
        """Return whether it runs no more and waits to be reaped."""
        return self.state in ENDED


def parse_stat(data: bytes) -> ProcessStat | None:
    """Return what a `stat` file says, or None where it is not one."""
    opening, closing = data.find(b"("), data.rfind(b")")
    if opening < 0 or closing < opening:
        return None
    fields = data[closing + 1 :].split()
    if len(fields) < LEAST_FIELDS:
        return None
    try:
        return ProcessStat(
            name=data[opening + 1 : closing].decode("utf-8", "replace"),
            state=fields[0].decode("ascii"),
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            started=int(fields[19]),
            cpu=(int(fields[11]) + int(fields[12])) / TICKS,
            children_cpu=(int(fields[13]) + int(fields[14])) / TICKS,
            io_wait=_number(fields, 39) / TICKS,
            memory=_number(fields, 21) * PAGE,
            image=b" ".join((data[opening : closing + 1], *fields[23:24], *fields[25:26], *fields[47:48])),
        )
    except (ValueError, OverflowError):
        return None


def parse_cpu(data: bytes) -> float | None:
    """Return the CPU seconds that a `stat` file of a process or of a thread tells, or None where it is not one."""
    fields = data[data.rfind(b")") + 1 :].split(None, 13)
    try:
        return (int(fields[11]) + int(fields[12])) / TICKS
    except (IndexError, ValueError):
        return None


def _number(fields: list[bytes], place: int) -> int:
    return max(0, int(fields[place])) if place < len(fields) else 0
