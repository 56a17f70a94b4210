"""How long what a table says stays good: rows looked at longer ago prove less."""

from __future__ import annotations

import datetime
from functools import cache
from typing import ClassVar

from xpu_doctor.tables.rows import Checked, Name, Place, rows

LOOKED_AT = "2026-11-27"
"""The newest day in any table: what came out later is not in them."""
YEAR = 365


class ShelfLife(Checked, frozen=True, kw_only=True):
    """How long rows of a table stay good, and how a maintainer refreshes them."""

    table: ClassVar[str] = "shelf_life.table"
    name: Name
    """The table: `drivers.bad`."""
    days: int = 0
    """Days after which a row may be out of date; 0 where what it says does not change."""
    why: str
    """What changes, or why nothing does."""
    refresh: str
    """What to read, and what to compare."""
    source: tuple[Place, ...]
    """Public pages and files to read."""
    tool: str = ""
    """The command that refreshes the table, where a public file can be parsed."""


@cache
def shelf_lives() -> dict[str, ShelfLife]:
    """Return the shelf life of every table by its name."""
    return {row.name: row for row in rows(ShelfLife)}


def is_past_its_date(table: str, checked: str, today: str) -> bool:
    """Return whether a row of a table, looked at on a day, may be out of date; both days in ISO 8601.

    A day that cannot be read, an empty `today` too, makes nothing old.
    """
    life = shelf_lives().get(table)
    age = age_in_days(checked, today)
    return life is not None and 0 < life.days < age


def old_tables(today: str) -> str:
    """Return a sentence that says so where all tables are a year old or older on a day, ISO 8601; else empty."""
    if age_in_days(LOOKED_AT, today) < YEAR:
        return ""
    return f"what this version knows of releases and faults was last looked at on {LOOKED_AT}: a newer xpu-doctor knows more"


def age_in_days(checked: str, today: str) -> int:
    """Return the days between two days in ISO 8601; 0 where one of them is none."""
    try:
        return (datetime.date.fromisoformat(today[:10]) - datetime.date.fromisoformat(checked[:10])).days
    except ValueError:
        return 0
