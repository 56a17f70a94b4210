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
    in_order: bool = False
    """Whether each command needs the one before it."""
    os: AnySystem = ""
    risk: Risk = Risk.NONE
    verify: tuple[str, ...] = ()
    url: str = ""


@cache
def _by_code() -> dict[str, tuple[FirstAid, ...]]:
    found: dict[str, list[FirstAid]] = {}
    for row in rows(FirstAid):
        found.setdefault(row.code, []).append(row)
    return {code: tuple(of_code) for code, of_code in found.items()}


@cache
def first_aid(code: str, system: str = "") -> tuple[Remedy, ...]:
    """Return the remedy of a code for an operating system, empty where none is known; without a system, each that there is."""
    fitting = tuple(row for row in _by_code().get(code, ()) if not row.os or not system or row.os == system)
    return tuple(_remedy(row, system) for row in (fitting[:1] if system else fitting[:2]))


def _remedy(row: FirstAid, system: str) -> Remedy:
    commands, os = (
        (one_line(row.commands, row.os or system), row.os or system) if row.in_order else (row.commands, row.os)
    )
    return Remedy(row.title, row.why, commands, os, risk=row.risk, verify=row.verify, url=row.url)


def one_line(commands: tuple[str, ...], system: str) -> tuple[str, ...]:
    """Return commands as one line that stops at the first failure; the PowerShell that Windows brings knows no `&&`."""
    if system != "windows":
        return (" && ".join(commands),)
    line = commands[-1]
    for command in reversed(commands[:-1]):
        line = f"{command}; if ($?) {{ {line} }}"
    return (line,)


def codes() -> frozenset[str]:
    """Return the codes that have a remedy."""
    return frozenset(_by_code())
