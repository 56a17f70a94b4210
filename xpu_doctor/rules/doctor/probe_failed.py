"""A probe of the doctor's own did not do its work."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.findings import Evidence, Finding, Layer, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Part


class ProbeFailed(Rule):
    """A probe of the doctor's own did not do its work."""

    code = "probe-failed"
    layer = Layer.DOCTOR
    severity = Severity.WARNING

    def check(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Found once per probe that raised an exception or missed its deadline."""
        for number, failure in enumerate(snapshot.failures):
            if failure.part == Part.PROBE:
                yield self.found(
                    f"probe {failure.name}",
                    f"the probe {failure.name} failed: {failure.error}",
                    evidence=(Evidence(f"failures[{number}].error", failure.error, f"probe {failure.name}"),),
                )
