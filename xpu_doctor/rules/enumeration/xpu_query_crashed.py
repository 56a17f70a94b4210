"""Asking torch.xpu for its devices, or making a tensor on one, killed the interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Python, Run, Stage
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.rules.support.stages import DIED, stage_evidence
from xpu_doctor.rules.support.xpu_query import DOING, ask_again, query_ended


class XpuQueryCrashed(Rule):
    """Asking torch.xpu for its devices, or making a tensor on one, killed the interpreter."""

    code = "xpu-query-crashed"
    layer = Layer.ENUMERATION
    symptom = True
    explains = {
        "compute-failed": "the device has to be found before anything is computed on it, and finding it ends the process",
        "xpu-unavailable": "the query that would tell that a device is available ends the process",
    }

    def check(self, run: Run, python: Python) -> Iterator[Finding]:
        """Found where the stage that asks torch.xpu, or the one that allocates, ended so."""
        stage = query_ended(run, DIED)
        if stage is None:
            return
        yield self.found(
            "machine",
            _summary(stage),
            evidence=stage_evidence(run, stage, "signal", "traceback"),
            remedies=(ask_again(python),),
        )


def _summary(stage: Stage) -> str:
    return f"{DOING[stage.name]} crashed the interpreter: {stage.signal or stage.reason or 'it died of a native fault'}"
