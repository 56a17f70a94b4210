"""Software for Intel GPUs beside torch: what became of it, and what to do about it."""

from __future__ import annotations

import re
from enum import Enum
from typing import ClassVar

from xpu_doctor.tables.rows import Checked, Name, Place, rows


class StackState(Enum):
    """Whether anybody still works on it."""

    ACTIVE = "active"
    MAINTAINED = "maintained"
    ENDED = "ended"


class Stack(Checked, frozen=True, kw_only=True):
    """One such software."""

    table: ClassVar[str] = "stacks.stack"
    name: Name
    also: tuple[str, ...] = ()
    """Its other names."""
    state: StackState
    newest: str = ""
    """The newest release that was seen."""
    brings: str = ""
    """The torch or driver that it brings or wants."""
    advice: str
    source: tuple[Place, ...]


def stack_of(name: str) -> Stack | None:
    """Return the row of a name, whatever its case and its dashes; None where the table has none."""
    wanted = _plain(name)
    return next((row for row in rows(Stack) if wanted in map(_plain, (row.name, *row.also))), None)


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "-", name.strip().lower())
