"""The one typed loader of the tables: each row is decoded into a class of its own, which knows every column.

A row class names its table and annotates each column. What a column refers to (a finding code, a fact path, a GPU family) is
part of its type, so that `tools/check_tables.py` and the tests can hold every value against what there is.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec

from xpu_doctor.tables import toml

Place = Annotated[str, msgspec.Meta(extra={"kind": "place"})]
"""Where a row is from: an address, or a released package such as `torch==2.13.0`."""
Day = Annotated[str, msgspec.Meta(extra={"kind": "day"})]
"""The day on which that was looked at."""
Name = Annotated[str, msgspec.Meta(extra={"kind": "name"})]
"""What tells a row from the others of its table: no two rows share one."""
Code = Annotated[str, msgspec.Meta(extra={"kind": "code"})]
"""A finding code."""
FamilyKey = Annotated[str, msgspec.Meta(extra={"kind": "family"})]
"""The key of a row of devices.toml."""
FactPath = Annotated[str, msgspec.Meta(extra={"kind": "fact"})]
"""The path of a fact in a snapshot."""
ConditionText = Annotated[str, msgspec.Meta(extra={"kind": "condition"})]
"""A condition on facts and met messages, as `xpu_doctor/diagnosis/conditions.py` reads it."""
PatternText = Annotated[str, msgspec.Meta(extra={"kind": "pattern"})]
"""A regular expression of Python."""
VersionText = Annotated[str, msgspec.Meta(extra={"kind": "version"})]
"""A dotted version, such as `6.8` or `1.19.0`."""
System = Literal["linux", "windows"]
AnySystem = Literal["", "linux", "windows"]
"""An operating system, or empty where a row serves both."""


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each row has."""

    table: ClassVar[str]
    """Name of the file under data/ and of the array in it: `drivers.bad`."""
    checked: Day


class Row(Checked, frozen=True, kw_only=True):
    """A row with one source."""

    source: Place


SomeRow = TypeVar("SomeRow", bound=Checked)


@cache
def rows(kind: type[SomeRow]) -> tuple[SomeRow, ...]:
    """Return the rows of a class, in the order of their file.

    The tests and `tools/check_tables.py` refuse a row that cannot be decoded; in the field it is left out, so that it never
    prevents a report.
    """
    values = plain_rows(toml(kind.table.partition(".")[0]), kind.table.partition(".")[2])
    try:
        return tuple(msgspec.convert(values, list[kind]))  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return tuple(row for value in values for row in _decoded(value, kind))


def _decoded(value: Any, kind: type[SomeRow]) -> tuple[SomeRow, ...]:
    try:
        return (msgspec.convert(value, kind),)
    except msgspec.ValidationError:
        return ()


def plain_rows(parsed: dict[str, Any], name: str) -> list[Any]:
    """Return the rows of an array of tables, or a table that stands alone as the only row."""
    found = parsed.get(name, [])
    return found if isinstance(found, list) else [found]
