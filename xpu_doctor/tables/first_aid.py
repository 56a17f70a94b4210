"""What to do about a finding whose rule had no facts to build commands from."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.tables.rows import AnySystem, Code, Row, rows


class FirstAid(Row, frozen=True, kw_only=True):
    """What to do about a finding that a message implies; the first fitting row of a code counts."""

    table: ClassVar = "first_aid.remedy"
    code: Code
    title: str
    why: str
    commands: tuple[str, ...] = ()
    os: AnySystem = ""
    risk: Risk = Risk.NONE
    verify: tuple[str, ...] = ()
    url: str = ""


@cache
def _by_code() -> dict[str, tuple[Remedy, ...]]:
    found: dict[str, list[Remedy]] = {}
    for row in rows(FirstAid):
        remedy = Remedy(row.title, row.why, row.commands, row.os, risk=row.risk, verify=row.verify, url=row.url)
        found.setdefault(row.code, []).append(remedy)
    return {code: tuple(remedies) for code, remedies in found.items()}


def first_aid(code: str, system: str = "") -> tuple[Remedy, ...]:
    """Return the remedy of a code for an operating system, empty where none is known; without a system, each that there is."""
    fitting = tuple(remedy for remedy in _by_code().get(code, ()) if not remedy.os or not system or remedy.os == system)
    return fitting[:1] if system else fitting[:2]


def codes() -> frozenset[str]:
    """Return the codes that have a remedy."""
    return frozenset(_by_code())
