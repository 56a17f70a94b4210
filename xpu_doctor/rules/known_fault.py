"""The base of rules that a table of bad versions decides, beside met messages."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.findings import Finding, Remedy
from xpu_doctor.rule import Rule
from xpu_doctor.snapshot import Snapshot
from xpu_doctor.tables.known_faults import evidence_of, met_faults
from xpu_doctor.unknown import Undecided, Unknown


class KnownFaultRule(Rule):
    """A rule whose findings are the rows of data/known_faults.toml of its code that the snapshot meets."""

    from_table = True

    def check(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Found for each row whose conditions hold; undecided where no message was looked for."""
        if isinstance(snapshot.errors.met, Unknown):
            raise Undecided(Unknown(snapshot.errors.met.reason, "errors.met"))
        for fault in met_faults(self.code, snapshot):
            yield self.found(
                "machine",
                fault.summary,
                evidence=evidence_of(fault, snapshot),
                remedies=(Remedy(f"Use {fault.fixed}", "the versions at hand are known to be bad together", url=fault.source),),
                confidence=fault.confidence,
            )
