"""A library that torch needs, directly or through others, is not there or is no library."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distributions, Import, Installer, Libraries, Machine, Python, Run, Xpu
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Severity
from xpu_doctor.remedies.runtime import reinstall_packages, system_libraries
from xpu_doctor.rules.support.library_faults import Judged, Kind, chain, names, of_kind, outcome
from xpu_doctor.rules.support.lost_files import lost_files, without_lost
from xpu_doctor.rules.support.runtime_packages import package_of, specs
from xpu_doctor.tables.libraries import opened_row

STAGES = ("import", "xpu", "later")
MOST_LOST = 3


class SharedLibraryMissing(Rule):
    """A library that torch needs, directly or through others, is not there or is no library."""

    code = "shared-library-missing"
    layer = Layer.RUNTIME
    explains = {
        "compute-failed": "the library is loaded with the first operation that needs it",
        "program-never-used-gpu": "the Unified Runtime leaves out an adapter whose library is missing, so the program is offered no device",
        "torch-import-crashed": "a library that is loaded without a check is called although it is not there",
        "torch-import-failed": "torch's libraries need it, and the import loads them",
        "xpu-query-crashed": "the library is loaded with the first query of the devices",
        "xpu-unavailable": "the Unified Runtime leaves out an adapter whose library is missing, so no device is listed",
    }

    def check(
        self,
        libraries: Libraries,
        imported: Import,
        xpu: Xpu,
        run: Run,
        installation: Installation,
        machine: Machine,
    ) -> Iterator[Finding]:
        """Found where the walk ends at a file that is absent or damaged, and nothing else accounts for it."""
        found = of_kind(libraries, Kind.MISSING)
        for stage in STAGES:
            items = tuple(item for item in found if item.fault.stage == stage)
            if not items:
                continue
            seen = outcome(tuple(item.fault for item in items), imported, xpu, run)
            yield self.found(
                "torch",
                f"{_sentence(items, installation.distributions, installation.python)}{seen.text}",
                severity=_severity(items, seen.severity),
                confidence=seen.confidence if stage != "later" else Confidence.LIKELY,
                evidence=(*(item.evidence() for item in items[:4]), *seen.evidence),
                remedies=_remedies(
                    items, installation.distributions, installation.python, installation.installer, machine
                ),
            )
        yield from self._lost(libraries, imported, xpu, installation)

    def _lost(self, libraries: Libraries, imported: Import, xpu: Xpu, installation: Installation) -> Iterator[Finding]:
        """Files that a package has lost, where the loader finds something else in their place and so has no fault to tell."""
        lost = lost_files(installation.distributions, libraries)
        if not lost:
            return
        severity, seen = without_lost(lost, imported, xpu)
        why = "It brings the lost files; --no-deps leaves torch and everything else as it is."
        packages = tuple(dict.fromkeys(item.requirement for item in lost))
        yield self.found(
            "torch",
            "; ".join(item.sentence for item in lost[:MOST_LOST]),
            severity=severity,
            confidence=Confidence.LIKELY,
            evidence=(*(evidence for item in lost[:MOST_LOST] for evidence in item.evidence()), *seen),
            remedies=(reinstall_packages(installation.python, installation.installer, packages, why),),
        )


def _severity(items: tuple[Judged, ...], severity: Severity) -> Severity:
    """Return a note for optional parts."""
    rows = [opened_row(item.fault.opened_by_name) for item in items]
    return Severity.INFO if all(row is not None and row.optional for row in rows) else severity


def _sentence(items: tuple[Judged, ...], distributions: Distributions, python: Python) -> str:
    first = items[0].fault
    state = "is missing" if first.kind == "missing" else f"is damaged ({first.kind})"
    text = f"{names(items)} {state}: {chain(first)}"
    package = package_of(first.name, distributions, python)
    if package:
        wanted = specs((first.name,), distributions, python)
        text += f"; {wanted[0]} brings it"
    row = opened_row(first.opened_by_name)
    return f"{text}; without it {row.absence}" if row is not None else text


def _remedies(
    items: tuple[Judged, ...], distributions: Distributions, python: Python, installer: Installer, machine: Machine
) -> Iterator[Remedy]:
    wanted = tuple(dict.fromkeys(item.fault.name for item in items))
    packages = specs(wanted, distributions, python)
    if packages:
        why = "They bring the missing files; --no-deps leaves torch and everything else as it is."
        yield reinstall_packages(python, installer, packages, why)
    system = system_libraries(python, machine, wanted)
    if system is not None:
        yield system
