"""What to do about a finding whose rule had no facts to build commands from."""

from __future__ import annotations

from functools import cache

from xpu_doctor.findings import Remedy, Risk
from xpu_doctor.tables import toml


@cache
def _rows() -> dict[str, tuple[Remedy, ...]]:
    found: dict[str, list[Remedy]] = {}
    for row in toml("first_aid")["remedy"]:
        remedy = Remedy(
            row["title"],
            row["why"],
            tuple(row.get("commands", ())),
            row.get("os", ""),
            risk=Risk(row.get("risk", "none")),
            verify=tuple(row.get("verify", ())),
            url=row.get("url", ""),
        )
        found.setdefault(row["code"], []).append(remedy)
    return {code: tuple(remedies) for code, remedies in found.items()}


def first_aid(code: str, system: str = "") -> tuple[Remedy, ...]:
    """Return the remedy of a code for an operating system, empty where none is known; without a system, each that there is."""
    fitting = tuple(remedy for remedy in _rows().get(code, ()) if not remedy.os or not system or remedy.os == system)
    return fitting[:1] if system else fitting[:2]


def codes() -> frozenset[str]:
    """Return the codes that have a remedy."""
    return frozenset(_rows())
