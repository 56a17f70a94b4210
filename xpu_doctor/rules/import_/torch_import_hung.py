"""The import of torch did not come back within its deadline."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python, Run, Stage
from xpu_doctor.model.findings import Finding, Layer, Remedy
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import lines, shells
from xpu_doctor.rules.support.stages import HUNG, ended, seconds, stage_evidence


class TorchImportHung(Rule):
    """The import of torch did not come back within its deadline."""

    code = "torch-import-hung"
    layer = Layer.IMPORT
    symptom = True
    explains = {
        "compute-failed": "nothing is computed with a torch whose import does not end",
        "xpu-unavailable": "there is no torch.xpu in a torch whose import does not end",
    }

    def check(self, run: Run, python: Python) -> Iterator[Finding]:
        """Found where the import stage was ended for its deadline."""
        stage = ended(run, ("import",))
        if stage is None or stage.outcome not in HUNG:
            return
        yield self.found(
            "machine",
            f"import torch did not finish{seconds(stage)}{_busy(stage)}",
            evidence=stage_evidence(run, stage, "cpu_seconds", "traceback"),
            remedies=(_longer(python, stage),),
        )


def _busy(stage: Stage) -> str:
    """Return whether it computed or waited, by the processor time that it used."""
    used, took = known_or(stage.cpu_seconds, -1.0), known_or(stage.seconds, 0.0)
    if used < 0 or took <= 0:
        return ""
    return ": it was busy computing" if used > took / 2 else ": it was waiting, not computing"


def _longer(python: Python, stage: Stage) -> Remedy:
    os = known_or(python.os, "linux")
    limit = str(max(300, int(known_or(stage.seconds, 0.0)) * 3))
    target = known_or(python.executable, "")
    command = Command(("xpu-doctor", "check", *(("--python", target) if target else ()), "--timeout", limit))
    why = "A slow network drive or a virus scanner can make a first import take minutes; the stack above shows where it waits."
    return Remedy("Give it more time", why, lines([command], shells(os)[0]), os=os)
