"""The environment variables that are kept, read and named: exact names alone, and what a name says about a secret."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar, Literal

from xpu_doctor.tables.rows import Name, Row, rows

HIDDEN = "(hidden)"
"""Stands for the value of a variable whose name says that it is a secret."""
_SECRET_NAME = re.compile(r"(?i)PASS|PWD|TOKEN|SECRET|KEY|CRED|AUTH")
_PLACES = frozenset({"PWD", "OLDPWD"})
"""Working folders."""


class KnownVariable(Row, frozen=True, kw_only=True):
    """Variables that one source describes."""

    table: ClassVar[str] = "variables.variable"
    names: tuple[Name, ...]
    about: str
    hides: Literal["", "level-zero", "sycl"] = ""
    """From whom they can hide devices."""
    word: bool = False
    """Whether the names are words of many texts too, so that their values are taken from no paste."""


@cache
def known_variables() -> frozenset[str]:
    """Return the names of all variables that a snapshot may hold."""
    return frozenset(name for row in rows(KnownVariable) for name in row.names)


@cache
def pasted_variables() -> tuple[str, ...]:
    """Return the names of the variables whose values are read from pasted texts."""
    return tuple(name for row in rows(KnownVariable) if not row.word for name in row.names)


@cache
def hiding_variables(whom: Literal["level-zero", "sycl"]) -> tuple[str, ...]:
    """Return the names of the variables that can hide devices from Level Zero or from SYCL, in the order of the table."""
    return tuple(name for row in rows(KnownVariable) if row.hides == whom for name in row.names)


def says_secret(name: str) -> bool:
    """Return whether a variable's name says that its value is a secret; a setting of the table is none, nor is a working folder."""
    return _SECRET_NAME.search(name) is not None and name.upper() not in _PLACES and name not in known_variables()
