"""How knowledge of the tables is handed out: entries of facts, each with its sources and the day they were looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xpu_doctor.tables.ageing import is_past_its_date
from xpu_doctor.tables.rows import Checked

Value = str | bool | int | float | tuple[str, ...] | None
"""A fact's value; None is not known."""


@dataclass(frozen=True)
class KnownFact:
    """One thing that a row of a table says."""

    name: str
    """What it is, in words: `XPU wheel`."""
    value: Value
    source: tuple[str, ...]
    """Where the row is from."""
    checked: str
    """The day on which the source was looked at, ISO 8601."""
    table: str
    """Name of the table under data/: `drivers.bad`."""
    sure: bool = True
    """Whether it was seen; else it was concluded from a neighbour."""
    past_its_date: bool = False
    """Whether the row was looked at longer ago than rows of its table stay good."""

    @property
    def key(self) -> str:
        """The name as programs take it: `xpu_wheel`."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())


@dataclass(frozen=True)
class Entry:
    """What is known of one release, GPU or build."""

    title: str
    facts: tuple[KnownFact, ...]


@dataclass(frozen=True)
class Knowledge:
    """The answer to a question; without entries nothing is known."""

    kind: str
    """`torch`, `gpu`, `driver` or `stack`."""
    asked: str
    entries: tuple[Entry, ...]
    note: str = ""
    """What a reader should know besides; why there are no entries."""


class NotUnderstood(ValueError):
    """What was asked for is no version, id, name or build."""


def fact(name: str, value: Value, row: Checked, today: str, *, sure: bool = True) -> KnownFact:
    """Return a fact that a row says."""
    places = getattr(row, "source", ())
    return KnownFact(
        name=name,
        value=value,
        source=(places,) if isinstance(places, str) else tuple(places),
        checked=row.checked,
        table=row.table,
        sure=sure,
        past_its_date=is_past_its_date(row.table, row.checked, today),
    )


def stated(facts: Iterable[KnownFact]) -> tuple[KnownFact, ...]:
    """Return the facts that say something; an empty text or list says nothing."""
    return tuple(item for item in facts if item.value not in ("", ()))
