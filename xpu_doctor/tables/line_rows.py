"""The tables of lines that show a device at work, and of lines that programs print although nothing is wrong."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

from xpu_doctor.tables.rows import Name, PatternText, Row, rows
from xpu_doctor.text.line_table import LineTable


class KnownLineRow(Row, frozen=True, kw_only=True):
    """What the rows of both tables have: how a line is known, what it means, and lines to try that on."""

    id: Name
    pattern: PatternText
    words: tuple[str, ...]
    """Lower-case words one of which each line that the pattern matches holds."""
    meaning: str
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]


class WorkingRow(KnownLineRow, frozen=True, kw_only=True):
    """A line that shows a device at work, as the head of working.toml describes it."""

    table: ClassVar[str] = "working.sign"
    shows: Literal["device", "running", "computed"]
    beside: tuple[str, ...] = ()
    """Lower-case words one of which the text must hold as well: the line itself would be the same on another device."""


class HarmlessRow(KnownLineRow, frozen=True, kw_only=True):
    """A line that programs print although nothing is wrong, as the head of harmless_lines.toml describes it."""

    table: ClassVar[str] = "harmless_lines.line"
    where: Literal["always", "device-works", "program-went-on"]


@cache
def working_lines() -> LineTable[WorkingRow]:
    """Return the lines that show a device at work."""
    return LineTable(rows(WorkingRow))


@cache
def harmless_lines() -> LineTable[HarmlessRow]:
    """Return the lines that prove nothing."""
    return LineTable(rows(HarmlessRow))
