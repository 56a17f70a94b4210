"""The operators that torch's XPU build runs on the CPU by its own list."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from xpu_doctor.tables.rows import Name, Row, rows


class ListOfRelease(Row, frozen=True, kw_only=True):
    """The list of one release of torch."""

    table: ClassVar[str] = "fallback_operators.release"
    torch: Name
    """Its first two numbers, such as `2.13`."""
    operators: str
    """Names without `aten::`, separated by blanks."""


def listed_operators(version: str) -> frozenset[str]:
    """Return the operators that a version of torch lists, such as `linalg_qr.out`; those of all releases where the version is not known."""
    release = ".".join(version.split(".")[:2])
    return _lists().get(release) or frozenset().union(*_lists().values())


@cache
def _lists() -> dict[str, frozenset[str]]:
    return {row.torch: frozenset(row.operators.split()) for row in rows(ListOfRelease)}
