"""Where applications keep their own Python, by the paths that their texts show."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from xpu_doctor.tables.rows import Name, PatternText, Row, rows


class Layout(Row, frozen=True, kw_only=True):
    """One way to lay out an application and its Python."""

    table: ClassVar[str] = "layouts.layout"
    id: Name
    pattern: PatternText
    words: tuple[str, ...]
    """Lower-case literals, one of which every matching line holds."""
    windows: str = ""
    """The interpreter on Windows, as it is typed where `where` says; empty where there is none."""
    linux: str = ""
    where: str
    """Where lines are typed, after "Run it "."""
    no_venv: bool = False
    """Whether this Python cannot make environments."""

    def python(self, system: str) -> str:
        """Return the interpreter on a system; where the layout exists on one system alone, that one's."""
        return (self.windows if system == "windows" else self.linux) or self.windows or self.linux


@cache
def layouts() -> dict[str, Layout]:
    """Return the layouts by their names, in the order in which they are looked for."""
    return {row.id: row for row in rows(Layout)}


@cache
def patterns() -> tuple[tuple[Layout, re.Pattern[str]], ...]:
    """Return each layout with its pattern."""
    return tuple((row, re.compile(row.pattern)) for row in layouts().values())


@cache
def pythons() -> frozenset[str]:
    """Return every interpreter of the table."""
    return frozenset(name for row in layouts().values() for name in (row.windows, row.linux) if name)
