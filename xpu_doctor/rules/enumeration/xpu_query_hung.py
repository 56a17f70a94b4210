"""Asking torch.xpu for its devices, or making a tensor on one, did not come back."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Python, Run, Stage
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.rules.support.stages import HUNG, seconds, stage_evidence
from xpu_doctor.rules.support.xpu_query import DOING, ask_again, query_ended


class XpuQueryHung(Rule):
    """Asking torch.xpu for its devices, or making a tensor on one, did not come back."""

    code = "xpu-query-hung"
    layer = Layer.ENUMERATION
    symptom = True
    explains = {
        "compute-failed": "the device has to be found before anything is computed on it, and finding it does not end",
        "xpu-unavailable": "the query that would tell that a device is available does not end",
    }

    def check(self, run: Run, python: Python) -> Iterator[Finding]:
        """Found where the stage that asks torch.xpu, or the one that allocates, ended so."""
        stage = query_ended(run, HUNG)
        if stage is None:
            return
        yield self.found(
            "machine",
            _summary(stage),
            evidence=stage_evidence(run, stage, "cpu_seconds", "traceback"),
            remedies=(ask_again(python),),
        )


def _summary(stage: Stage) -> str:
    return f"{DOING[stage.name]} did not come back{seconds(stage)}"
