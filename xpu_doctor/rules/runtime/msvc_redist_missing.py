"""Microsoft's Visual C++ runtime is absent, or older than the compiler that built torch."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Import, Libraries, Python, Run, Xpu
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.runtime import redistributable
from xpu_doctor.rules.support.library_faults import Kind, chain, names, of_kind, outcome

MUTEX = (14, 40)
"""Programs built by this compiler or a newer one crash in std::mutex on an older msvcp140.dll."""


class MsvcRedistMissing(Rule):
    """Microsoft's Visual C++ runtime is absent, or older than the compiler that built torch."""

    code = "msvc-redist-missing"
    layer = Layer.RUNTIME
    systems = ("windows",)
    explains = {
        "compute-failed": "a library that is loaded with the first operation needs a DLL of the redistributable",
        "shared-library-missing": "the library that is missing is one of the redistributable, or needs one",
        "torch-import-crashed": "DLLs of torch need those of the redistributable; an old one among them crashes",
        "torch-import-failed": "DLLs of torch need those of the redistributable",
        "xpu-query-crashed": "a library that is loaded with the first query needs a DLL of the redistributable",
        "xpu-unavailable": "the Unified Runtime leaves out an adapter whose DLLs are not complete",
    }

    def check(self, libraries: Libraries, imported: Import, xpu: Xpu, run: Run, python: Python) -> Iterator[Finding]:
        """Found where a DLL of the Visual C++ runtime is nowhere, or too old where the import failed too."""
        items = of_kind(libraries, Kind.MSVC)
        if items:
            seen = outcome(tuple(item.fault for item in items), imported, xpu, run)
            yield self.found(
                "torch",
                f"{names(items)} of the Visual C++ runtime is missing: {chain(items[0].fault)}{seen.text}",
                severity=seen.severity,
                confidence=seen.confidence,
                evidence=(*(item.evidence() for item in items[:4]), *seen.evidence),
                remedies=(redistributable(python),),
            )
            return
        has, built = numbers(known_or(libraries.msvc, ""))[:2], numbers(known_or(libraries.msvc_built, ""))[:2]
        if not has or not built or has >= MUTEX or built < MUTEX or known_or(imported.succeeded, False):
            return
        stage = run.stage("import")
        died = (
            not isinstance(stage, Unknown)
            and stage is not None
            and (stage.outcome == StageOutcome.CRASH or stage.winerror == 1114)
        )
        yield self.found(
            "torch",
            f"msvcp140.dll is {libraries.msvc}, and torch was built by Visual C++ {libraries.msvc_built}: "
            "a program built by 14.40 or newer needs a runtime that is at least as new",
            severity=Severity.ERROR if died else Severity.WARNING,
            confidence=Confidence.LIKELY if died else Confidence.POSSIBLE,
            evidence=("libraries.msvc", "libraries.msvc_built"),
            remedies=(redistributable(python),),
        )
