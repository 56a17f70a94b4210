"""The import of torch raised an exception or ended the process."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Import, Libraries, Python, Run, Stage
from xpu_doctor.model.findings import Evidence, Finding, Layer
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.rules.support.stages import (
    FAILED,
    answered,
    ended,
    examine,
    last_line,
    look_closer,
    missing_module,
    stage_evidence,
)

IMPORT_TORCH = "import torch"
LOADING = ("ImportError", "OSError")
"""Exceptions by which a library that does not load shows."""
NOT_INSTALLED = (
    "torch is not installed in this interpreter: a check of all layers that ignores nothing says how to install it."
)
UNPREDICTED = "; the walk of its libraries had predicted that they load"


class TorchImportFailed(Rule):
    """The import of torch raised an exception or ended the process."""

    code = "torch-import-failed"
    layer = Layer.IMPORT
    symptom = True
    explains = {
        "compute-failed": "nothing is computed with a torch that cannot be imported",
        "xpu-unavailable": "there is no torch.xpu in a torch that cannot be imported",
    }

    def check(self, run: Run, imported: Import, python: Python, libraries: Libraries) -> Iterator[Finding]:
        """Found where the import stage ended with an exception or left without a word."""
        answered(run)
        try:
            stage = ended(run, ("import",))
        except Undecided:
            if known(imported.succeeded):
                return
            stage = None
        if stage is not None and stage.outcome not in FAILED:
            return
        if stage is None and known_or(imported.succeeded, True):
            return
        if stage is not None and missing_module(stage) == "torch":
            yield self._no_torch(stage, run, python)
            return
        why = "Nothing else in this report explains the failure; the whole text is what a bug report needs."
        evidence: tuple[str | Evidence, ...] = (
            stage_evidence(run, stage, "exception", "traceback") if stage else _told(imported)
        )
        predicted = isinstance(libraries.prediction, str)
        yield self.found(
            "machine",
            _summary(stage, imported)
            + (
                UNPREDICTED
                if libraries.prediction == "loads" and stage is not None and stage.exception in LOADING
                else ""
            ),
            evidence=(*evidence, *(("libraries.prediction",) if predicted else ())),
            remedies=(look_closer(python, IMPORT_TORCH, why),),
        )

    def _no_torch(self, stage: Stage, run: Run, python: Python) -> Finding:
        """Return the finding where there is nothing to import, and neither layer nor finding that would say so was asked for."""
        return self.found(
            "machine",
            "torch is not installed: import torch failed (No module named 'torch')",
            evidence=stage_evidence(run, stage, "exception"),
            remedies=(examine(python, NOT_INSTALLED),),
        )


def _told(imported: Import) -> tuple[str, ...]:
    """Return what was imported in place of torch, as evidence."""
    told = {name: getattr(imported, name) for name in ("succeeded", "file", "folders")}
    return tuple(f"imported.{name}" for name, value in told.items() if not isinstance(value, Unknown) and value != ())


def _summary(stage: Stage | None, imported: Import) -> str:
    if stage is None:
        return "import torch failed" + _what_came(imported)
    if stage.outcome == StageOutcome.EXIT:
        return f"import torch ended the interpreter: {stage.reason or 'the process left without a word'}"
    reason = stage.reason or last_line(stage.traceback) or stage.exception
    return "import torch failed" + (f": {reason}" if reason else "")


def _what_came(imported: Import) -> str:
    """Return what Python imported that is no torch, in words, or empty."""
    folders = known_or(imported.folders, ())
    if folders:
        return f": Python took {' and '.join(folders[:2])}, which holds no __init__.py, for an empty namespace called torch"
    path = known_or(imported.file, "")
    return f": {path} was imported, and it is no torch (it has no __version__)" if path else ""
