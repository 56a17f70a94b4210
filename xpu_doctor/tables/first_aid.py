"""What to do about a finding whose rule had no facts to build commands from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import ClassVar, Literal, TypeAlias

from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.tables.releases import newest_wheels
from xpu_doctor.tables.rows import AnySystem, Code, ConditionText, Row, rows

WHEELS = "{wheels}"
"""What stands in a `why` for the sentence that tells for which Pythons the newest torch has XPU wheels."""
Holds: TypeAlias = Callable[[tuple[str, ...], tuple[str, ...]], bool]
"""Whether all conditions of the first tuple hold and none of the second."""


class FirstAid(Row, frozen=True, kw_only=True):
    """What to do about a finding that a message implies; the first fitting row of a code counts."""

    table: ClassVar[str] = "first_aid.remedy"
    code: Code
    when: tuple[ConditionText, ...] = ()
    """Conditions on facts and met messages, all of which must hold; such a row is of one place, and takes the place of what a rule offers a text."""
    unless: tuple[ConditionText, ...] = ()
    """Conditions none of which may hold."""
    besides: bool = False
    """Whether the row is shown below the one before it."""
    title: str
    why: str
    commands: tuple[str, ...] = ()
    in_order: bool = False
    """Whether each command needs the one before it."""
    os: AnySystem = ""
    side: Literal["", "host", "windows", "wsl"] = ""
    """Where its lines are typed if that is not where the program runs."""
    risk: Risk = Risk.NONE
    verify: tuple[str, ...] = ()
    url: str = ""


@cache
def _by_code() -> dict[str, tuple[FirstAid, ...]]:
    found: dict[str, list[FirstAid]] = {}
    for row in rows(FirstAid):
        found.setdefault(row.code, []).append(row)
    return {code: tuple(of_code) for code, of_code in found.items()}


def first_aid(code: str, system: str = "", true: Holds | None = None) -> tuple[Remedy, ...]:
    """Return the remedy of a code for an operating system, empty where none is known; without a system, that of each.

    Rows with conditions count only where `true` says that these hold.
    """
    return _first_aid(code, system) if true is None else _of_rows(tuple(_fitting(code, true)), system)


def of_place(code: str, system: str, true: Holds) -> tuple[Remedy, ...]:
    """Return the remedy of the first row with conditions that all hold; empty where there is none."""
    return _of_rows(tuple(row for row in _fitting(code, true) if row.when), system)


def every(code: str) -> tuple[Remedy, ...]:
    """Return the remedies of all rows of a code, for each system that a row serves."""
    return tuple(
        _remedy(row, system) for row in _by_code()[code] for system in ((row.os,) if row.os else ("linux", "windows"))
    )


@cache
def _first_aid(code: str, system: str) -> tuple[Remedy, ...]:
    return _of_rows(tuple(row for row in _by_code().get(code, ()) if not row.when), system)


def _fitting(code: str, true: Holds) -> Iterator[FirstAid]:
    return (row for row in _by_code().get(code, ()) if true(row.when, row.unless))


@cache
def _of_rows(fitting: tuple[FirstAid, ...], system: str) -> tuple[Remedy, ...]:
    """Return the remedy of the first row that serves a system, with the rows that are shown below it; without a system, that of each."""
    if system:
        return tuple(_remedy(row, system) for row in _group(fitting, system))
    groups = dict.fromkeys((_group(fitting, "linux"), _group(fitting, "windows")))
    both = len(groups) > 1 and all(groups)
    return tuple(_remedy(row, "", both) for row in dict.fromkeys(row for group in groups for row in group))


def _group(fitting: tuple[FirstAid, ...], system: str) -> tuple[FirstAid, ...]:
    serving = [row for row in fitting if not row.os or row.os == system]
    first = next((place for place, row in enumerate(serving) if not row.besides), len(serving))
    group = serving[first : first + 1]
    for row in serving[first + 1 :]:
        if not row.besides:
            break
        group.append(row)
    return tuple(group)


def _remedy(row: FirstAid, system: str, named: bool = False) -> Remedy:
    """Return a row as a remedy; `named` has its title say the system."""
    commands, os = (
        (one_line(row.commands, row.os or system), row.os or system) if row.in_order else (row.commands, row.os)
    )
    where = f"On {row.os.capitalize()}: " if named and row.os else ""
    return Remedy(
        where + row.title,
        row.why.replace(WHEELS, newest_wheels()) if WHEELS in row.why else row.why,
        commands,
        os,
        risk=row.risk,
        verify=row.verify,
        url=row.url,
        besides=row.besides,
        side=row.side,
    )


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
