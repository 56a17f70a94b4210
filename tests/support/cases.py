"""The cases of fixtures/rules/*.toml: partial snapshots, and what a rule must make of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from xpu_doctor.model.snapshot import Snapshot

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "fixtures" / "rules"
OUTCOMES = ("found", "clear", "undecided")


@dataclass(frozen=True)
class Case:
    """One snapshot and the outcome that a rule must have on it."""

    code: str
    outcome: str
    name: str
    snapshot: dict[str, Any] = field(default_factory=dict)
    severity: str = ""
    confidence: str = ""
    subject: str = ""
    contains: str = ""
    lacks: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.outcome}: {self.name}"

    def facts(self) -> Snapshot:
        """Return the snapshot; what the case leaves out was not examined."""
        return msgspec.convert(self.snapshot, Snapshot)


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases of all files."""
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = set(table) - set(OUTCOMES)
        assert not unknown, f"{path.name}: {unknown} is none of {OUTCOMES}"
        for outcome in OUTCOMES:
            found += [Case(code=path.stem, outcome=outcome, **row) for row in table.get(outcome, [])]
    return tuple(found)
