"""The table of versions that are known to be bad where a message shows that they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from xpu_doctor.model.findings import Confidence
from xpu_doctor.tables.rows import ConditionText, Name, Row, rows
from xpu_doctor.tables.signatures import Implication

WEIGHT = 8
"""A row names versions and the message that they leave: few findings rest on more."""


class FaultRow(Row, frozen=True, kw_only=True):
    """One fault of a version."""

    table: ClassVar[str] = "known_faults.fault"
    id: Name
    code: Literal["gpu-driver-bug", "pytorch-bug", "kernel-regression"]
    when: tuple[ConditionText, ...]
    summary: str
    fixed: str
    """What fixes it, in words that can follow "Use"."""
    confidence: Confidence = Confidence.LIKELY
    seen_on: tuple[str, ...] = ()
    """Parts of the names of the GPUs on which it was seen, where it was not seen on all that the conditions take: `B580`, `Pro B`."""


@dataclass(frozen=True)
class KnownFault:
    """A fault, and what it says about its finding code."""

    id: str
    when: tuple[str, ...]
    implication: Implication
    row: FaultRow


@cache
def known_faults() -> tuple[KnownFault, ...]:
    """Return all rows."""
    return tuple(map(_fault, rows(FaultRow)))


def _fault(row: FaultRow) -> KnownFault:
    implication = Implication(
        code=row.code,
        confidence=row.confidence,
        weight=WEIGHT,
        when=row.when,
        summary=row.summary,
        fix=f"Use {row.fixed}",
    )
    return KnownFault(row.id, row.when, implication, row)
