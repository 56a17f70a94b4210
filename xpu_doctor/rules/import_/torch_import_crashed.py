"""The import of torch killed the interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Python, Run
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.rules.support.stages import DIED, ended, look_closer, stage_evidence


class TorchImportCrashed(Rule):
    """The import of torch killed the interpreter."""

    code = "torch-import-crashed"
    layer = Layer.IMPORT
    symptom = True
    explains = {
        "compute-failed": "nothing is computed where the import of torch ends the process",
        "xpu-unavailable": "there is no torch.xpu where the import of torch ends the process",
    }

    def check(self, run: Run, python: Python) -> Iterator[Finding]:
        """Found where the import stage ended with a signal or an NTSTATUS."""
        stage = ended(run, ("import",))
        if stage is None or stage.outcome not in DIED:
            return
        why = "The last lines name the Python frame in which native code died."
        yield self.found(
            "machine",
            f"import torch crashed the interpreter: {stage.signal or stage.reason or 'it died of a native fault'}",
            evidence=stage_evidence(run, stage, "signal", "traceback"),
            remedies=(look_closer(python, "import torch", why),),
        )
