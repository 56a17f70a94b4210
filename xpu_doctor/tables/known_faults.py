"""The table of versions that are known to be bad where a message shows that they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from xpu_doctor.findings import Confidence
from xpu_doctor.signatures import Implication
from xpu_doctor.tables import toml

WEIGHT = 8
"""A row names versions and the message that they leave: few findings rest on more."""


@dataclass(frozen=True)
class KnownFault:
    """One row of known_faults.toml."""

    id: str
    when: tuple[str, ...]
    implication: Implication
    source: str


@cache
def known_faults() -> tuple[KnownFault, ...]:
    """Return all rows."""
    return tuple(_fault(row) for row in toml("known_faults")["fault"])


def _fault(row: dict[str, str]) -> KnownFault:
    when = tuple(row["when"])
    confidence = Confidence(row.get("confidence", "likely"))
    implication = Implication(row["code"], confidence, WEIGHT, when, (), row["summary"], f"Use {row['fixed']}")
    return KnownFault(row["id"], when, implication, row["source"])
