"""The table of versions that are known to be bad, and which of its rows a snapshot meets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from xpu_doctor.conditions import all_hold
from xpu_doctor.findings import Confidence, Evidence
from xpu_doctor.tables import toml

if TYPE_CHECKING:
    from xpu_doctor.snapshot import Snapshot


@dataclass(frozen=True)
class KnownFault:
    """One row of known_faults.toml."""

    id: str
    code: str
    when: tuple[str, ...]
    summary: str
    fixed: str
    confidence: Confidence
    source: str


@cache
def known_faults() -> tuple[KnownFault, ...]:
    """Return all rows."""
    return tuple(
        KnownFault(
            row["id"], row["code"], tuple(row["when"]), row["summary"], row["fixed"], Confidence(row.get("confidence", "likely")), row["source"]
        )
        for row in toml("known_faults")["fault"]
    )


def met_faults(code: str, snapshot: Snapshot) -> Iterator[KnownFault]:
    """Yield the rows of a code whose conditions all hold."""
    met = snapshot.errors.met
    ids = frozenset(error.signature for error in met) if isinstance(met, tuple) else frozenset()
    return (fault for fault in known_faults() if fault.code == code and all_hold(fault.when, snapshot, ids))


def evidence_of(fault: KnownFault, snapshot: Snapshot) -> tuple[Evidence, ...]:
    """Return the facts and lines that a row's conditions rest on."""
    from xpu_doctor.implied import facts_of

    met = snapshot.errors.met
    return tuple(facts_of(fault.when, met if isinstance(met, tuple) else ()))
