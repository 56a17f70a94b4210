"""A saved snapshot was written by a newer doctor."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.findings import Finding, Layer, Remedy, Severity
from xpu_doctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot


class SnapshotTooNew(Rule):
    """A saved snapshot was written by a newer doctor."""

    code = "snapshot-too-new"
    layer = Layer.DOCTOR
    severity = Severity.WARNING

    def check(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Found where the snapshot's number is above the one that this version writes."""
        if snapshot.schema > SNAPSHOT_SCHEMA:
            yield self.found(
                "snapshot",
                f"the snapshot has schema {snapshot.schema}; this xpu-doctor knows {SNAPSHOT_SCHEMA}",
                evidence=("schema",),
                remedies=(
                    Remedy(
                        "Update xpu-doctor",
                        "A newer version reads every fact of the snapshot.",
                        ("pip install --upgrade xpu-doctor",),
                    ),
                ),
            )
