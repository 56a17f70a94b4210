"""Reads the numbers of memory errors: whether the block that was asked for could fit at all, or only not in one piece."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

SINGLE_BLOCK = 4 * 1024**3
"""Bytes that the driver gives in one piece without relaxed limits."""
ROOM = 0.9
"""Part of the memory that is free by the driver's own count which a block may take."""
SHARE = 0.05
"""Part of the whole memory that is the driver's own and other programs', where nothing counts it."""
_SIZE = r"\d{1,6}(?:\.\d{1,3})?[ ]?(?:[KMGT]i?B|bytes)"
_ASKED = late_pattern(
    rf"""
    Tried[ ]to[ ]allocate[ ](?P<asked>{_SIZE})
    (?:\.[ ]GPU[ ]{{1,3}}\d{{1,2}}[ ]has[ ]a[ ]total[ ]capacity[ ]of[ ](?P<total>{_SIZE})
       (?:[ ]of[ ]which[ ](?P<free>{_SIZE})[ ]is[ ]free)?
       (?:.{{0,80}}?\ballocated[ ]memory[ ](?P<used>{_SIZE})[ ]is[ ]allocated
          (?:[ ]by[ ]PyTorch,[ ]and[ ](?P<reserved>{_SIZE})[ ]is[ ]reserved)?)?
     |[ ]\(GPU[ ]{{1,3}}\d{{1,2}};[ ](?P<capacity>{_SIZE})[ ]total[ ]capacity;[ ](?P<held>{_SIZE})[ ]already[ ]allocated)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def parse(text: Text, facts: Collected) -> None:
    """Note what the numbers of the first memory error say of the block that was asked for."""
    found = text.first(_ASKED, "tried to allocate")
    if found is None:
        return
    asked, total = _bytes(found["asked"]), _bytes(found["total"] or found["capacity"])
    used = found["used"] or found["held"]
    room: float | None = None
    if found["free"]:
        room = _bytes(found["free"]) * ROOM
    elif used:
        reserved = _bytes(found["reserved"]) if found["reserved"] else 0
        room = total * (1 - SHARE) - _bytes(used) - reserved
    facts.put("pasted.memory", _judged(asked, total, room), text.place(found.start()))


def _judged(asked: int, total: int, room: float | None) -> str:
    """Return how a block compares with the memory, and with what of it may be had."""
    if asked > total:
        return "above-total"
    if room is None or asked > room:
        return "full"
    return "above-single" if asked >= SINGLE_BLOCK else "room"


def _bytes(size: str) -> int:
    """Return a size as bytes."""
    number = float(re.match(r"[\d.]+", size)[0])  # type: ignore[index]
    unit = size[re.search(r"[A-Za-z]", size).start()].lower()  # type: ignore[union-attr]
    return int(number * _UNITS[unit])
