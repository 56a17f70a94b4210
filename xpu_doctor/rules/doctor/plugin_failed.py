"""A plug-in could not be loaded or broke down."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.findings import Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Part


class PluginFailed(Rule):
    """A plug-in could not be loaded or broke down."""

    code = "plugin-failed"
    layer = Layer.DOCTOR
    severity = Severity.WARNING

    def check(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Found once per plug-in that failed to load, has a bad name or crashed."""
        for number, failure in enumerate(snapshot.failures):
            if failure.part == Part.PLUGIN:
                yield self.found(
                    f"plugin {failure.name}",
                    f"the plug-in {failure.name} failed: {failure.error}",
                    evidence=(Evidence(f"failures[{number}].error", failure.error, "plug-ins"),),
                    remedies=(
                        Remedy(
                            "Update or uninstall the plug-in",
                            f"{failure.name} is no part of xpu-doctor; its author can fix it.",
                        ),
                    ),
                )
